import { mkdirSync } from "node:fs";
import path from "node:path";
import { audit } from "../../store/audit.js";
import { appendHistory } from "../../store/history.js";
import { asStateError } from "../../store/state-directory.js";
import { asHoldstillError, HoldstillError, toFault } from "../../base/errors/error.js";
import { exit, type ExitCode } from "../../base/errors/exit.js";
import type { Untimed } from "../../base/events/emit.js";
import type { Resolution } from "../../host/manifest/resolution.js";
import { makePlan } from "../../plan/make.js";
import type { Plan, SnapshotRequest } from "../../plan/plan.js";
import type { EndedEvent, PastTransaction } from "../../base/schema/types.js";
import { forgetUndone, Journal } from "../../store/journal.js";
import { isDegraded } from "../../transaction/record.js";
import { type TransactionOutcome, runTransaction } from "../../transaction/run-transaction.js";
import { claimVolumes } from "./claim-volumes.js";
import { protectedPaths } from "../protected-paths.js";
import type { EngineContext, TransactionResult, Watcher } from "../types.js";
import type { Turn } from "./volume-queue.js";
import { interruptible, withOperation, type Operation } from "../operation.js";

/** Plans, waits for the volumes, and runs the transaction. Throws when it is refused before anything has begun. */
export async function createSet(
  bench: EngineContext,
  request: SnapshotRequest,
  { plugins, warnings }: Pick<Resolution, "plugins" | "warnings">,
  watching: Watcher,
  turn = bench.queue.enter(request.targets),
): Promise<TransactionResult> {
  return withOperation(bench, plugins, watching, async (workshop) => {
    const { emit, writeGate } = workshop;
    try {
      const ended = await turn.whilst(() => transact(bench, request, workshop, { warnings, turn }));
      await writeGate.pass();
      appendHistory(bench.state, pastOf(request, ended));
      emit(endedEvent(ended));
      return ended;
    } catch (error) {
      const { code, exitCode } = asHoldstillError(error);
      const outcome = code === "E_INTERRUPTED" ? "interrupted" : "refused";
      const { targets } = request;
      const at = new Date().toISOString();
      appendHistory(bench.state, { at, outcome, targets: [...targets], cause: toFault(error), timeline: [] });
      emit({ type: "ended", outcome, exitCode, error: toFault(error), residue: [] });
      throw error;
    }
  });
}

async function transact(
  bench: EngineContext,
  request: SnapshotRequest,
  workshop: Operation,
  { warnings, turn }: { warnings: readonly string[]; turn: Turn },
): Promise<TransactionResult> {
  const { emit } = workshop;
  const { limits } = bench.settings;
  const asked = bench.requester === null ? request : { ...request, requester: bench.requester };
  const plan = await bench.planning.run(() =>
    interruptible(workshop, () => makePlan(asked, workshop.workers, limits, protectedPaths(bench))),
  );
  emit({
    type: "begun",
    transaction: plan.id,
    targets: [...request.targets],
    cut: plan.cut,
    writers: plan.writers.map(({ who }) => who.instance),
    providers: plan.providers.map(({ who }) => who.instance),
  });
  for (const message of [...warnings, ...plan.warnings]) emit({ type: "warning", message });
  for (const { who, error } of plan.leftOut) emit({ type: "left-out", actor: who.instance, error });
  const claim = await claimVolumes(bench, plan, workshop, turn);
  try {
    await workshop.writeGate.pass();
    return await journaled(bench, claim.plan, workshop);
  } finally {
    claim.release();
  }
}

async function journaled(
  bench: EngineContext,
  plan: Plan,
  { workers, emit, writeGate, signal }: Operation,
): Promise<TransactionResult> {
  const { catalog } = bench;
  const journal = begin(bench, plan);
  const timeline: TransactionResult["timeline"] = [];
  try {
    const outcome = await runTransaction(plan, {
      workers,
      journal,
      emit,
      writeGate,
      limits: bench.settings.limits,
      keep: (set) => catalog.write(set),
      sidecarDir: (writer) => catalog.sidecarDir(plan.id, writer),
      exposeDir: path.join(bench.settings.exposeDir, plan.id),
      guarded: protectedPaths(bench),
      signal,
      timeline,
    });
    await writeGate.pass();
    if (outcome.is === "aborted") catalog.remove(plan.id);
    writeEnd(journal, outcome);
    return endOf(outcome, timeline);
  } finally {
    journal.close();
  }
}

/** Writes down what is about to be done. A disk that cannot take that ends it here: nothing was touched. */
function begin(bench: EngineContext, plan: Plan): Journal {
  const { catalog, state } = bench;
  const { id, cut, request, writers, providers } = plan;
  const journal = Journal.open(state, id);
  if (journal === null) throw new HoldstillError("E_SET_BUSY", { set: id });
  try {
    asStateError(state, () => {
      forgetUndone(state, (one) => catalog.has(one));
      journal.write({
        entry: "begun",
        version: 1,
        id,
        pid: process.pid,
        at: new Date().toISOString(),
        cut,
        targets: [...request.targets],
        enlisted: [
          ...writers.map((writer) => ({ who: writer.who, components: [...writer.components], cut: writer.cut })),
          ...providers.map(({ who }) => ({ who })),
        ],
      });
      audit(bench, "create", { id, ...(request.name === undefined ? {} : { name: request.name }) });
      for (const { who } of writers) mkdirSync(catalog.sidecarDir(id, who.instance), { recursive: true, mode: 0o700 });
    });
    return journal;
  } catch (error) {
    journal.close();
    catalog.remove(id);
    Journal.forget(state, id);
    throw error;
  }
}

/** The set's record decides, not this line: a disk that is full now costs nothing but a look of `recover`. */
function writeEnd(journal: Journal, { is, residue }: TransactionOutcome): void {
  try {
    journal.write({
      entry: "ended",
      outcome: is,
      residue: residue.map(({ actor, error }) => ({ actor, fault: error })),
    });
  } catch {
    // Recovery finds the transaction without an end, and everything undone or recorded.
  }
}

function endOf(outcome: TransactionOutcome, timeline: TransactionResult["timeline"]): TransactionResult {
  const { residue } = outcome;
  if (outcome.is === "created") {
    const { set } = outcome;
    const degraded = isDegraded(set);
    const end: [TransactionResult["outcome"], ExitCode] =
      residue.length > 0 ? ["broken", exit.residue] : degraded ? ["degraded", exit.degraded] : ["created", exit.done];
    return { outcome: end[0], exitCode: end[1], set, error: null, residue, timeline };
  }
  const { cause } = outcome;
  const [name, exitCode] = abortedAs(cause.code, residue.length > 0);
  return { outcome: name, exitCode, set: null, error: cause, residue, timeline };
}

function pastOf(
  { targets, name }: SnapshotRequest,
  { outcome, set, error, timeline }: TransactionResult,
): PastTransaction {
  return {
    at: new Date().toISOString(),
    outcome,
    targets: [...targets],
    ...(name === undefined ? {} : { name }),
    ...(set === null ? {} : { id: set.id, consistency: set.consistency, frozenMs: set.frozenMs }),
    ...(error === null ? {} : { cause: error }),
    timeline,
  };
}

function abortedAs(code: string, left: boolean): [TransactionResult["outcome"], ExitCode] {
  if (left) return ["broken", exit.residue];
  if (code === "E_INTERRUPTED") return ["interrupted", exit.interrupted];
  return ["aborted", code === "E_BUG" ? exit.bug : exit.aborted];
}

function endedEvent({ outcome, exitCode, set, error, residue }: TransactionResult): Untimed<EndedEvent> {
  return {
    type: "ended",
    outcome,
    exitCode,
    residue,
    ...(set === null ? {} : { set: set.id, consistency: set.consistency }),
    ...(error === null ? {} : { error }),
  };
}
