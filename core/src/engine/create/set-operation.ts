import { toFault } from "../../base/errors/error.js";
import { endingOf, endingOfSet } from "../../base/errors/outcome.js";
import { freezeMethod } from "../../base/display/freeze-method.js";
import type { Fault, PastTransaction, SnapshotSet } from "../../base/schema/types.js";
import type { Rendezvous } from "../../cluster/rendezvous.js";
import type { ResolvedPlugin } from "../../host/manifest/resolution.js";
import type { Plan, SnapshotRequest } from "../../plan/plan.js";
import { KeeperHold } from "../../keeper/client/keeper-hold.js";
import type { Journal } from "../../store/journal.js";
import { stateError } from "../../store/state-directory.js";
import { isDegraded } from "../../transaction/record.js";
import { runTransaction, type TransactionOutcome } from "../../transaction/run-transaction.js";
import type { HoldGate } from "../../transaction/services.js";
import { Operation, prepare, protectedPaths } from "../operation.js";
import type { EngineContext, TransactionResult, Watcher } from "../types.js";
import { type ClaimedPlan, claimVolumes } from "./claim-volumes.js";
import type { Turn } from "./volume-queue.js";

/** Takes one set: plan, claim, execute. */
export class SetOperation extends Operation {
  readonly context: EngineContext;

  private constructor(context: EngineContext, plugins: readonly ResolvedPlugin[], watcher: Watcher) {
    super(context, plugins, watcher);
    this.context = context;
  }

  static override async begin(
    context: EngineContext,
    plugins: readonly ResolvedPlugin[],
    watcher: Watcher = {},
  ): Promise<SetOperation> {
    await prepare(context, plugins, watcher);
    return new SetOperation(context, plugins, watcher);
  }

  override plan(request: SnapshotRequest): Promise<Plan> {
    const { requester } = this.context;
    return super.plan(requester === null ? request : { ...request, requester });
  }

  /** @param warnings Those of the config. */
  announce(
    { id, cut, request, writers, providers, warnings: ofPlan, leftOut }: Plan,
    warnings: readonly string[],
  ): void {
    this.emit({
      type: "begun",
      transaction: id,
      targets: [...request.targets],
      cut,
      writers: writers.map(({ who }) => who.instance),
      providers: providers.map(({ who }) => who.instance),
    });
    for (const message of [...warnings, ...ofPlan]) this.emit({ type: "warning", message });
    for (const { who, error } of leftOut) this.emit({ type: "left-out", actor: who.instance, error });
  }

  /** Waits for the plan's volumes, which are then this transaction's until they are released. */
  claim(plan: Plan, turn: Turn): Promise<ClaimedPlan> {
    const { store, settings } = this.context;
    const replan = (request: SnapshotRequest): Promise<Plan> => super.plan(request);
    return claimVolumes({ operation: this, locks: store.volumes, limitMs: settings.limits.queue, replan }, plan, turn);
  }

  /**
   * Opens the journal, runs the transaction, and writes down how it ended. Until the journal is open nothing was touched.
   *
   * @param rendezvous Where this host meets others that take the same set.
   */
  async execute(plan: Plan, rendezvous: Rendezvous | null = null): Promise<TransactionResult> {
    const { store, settings } = this.context;
    const journal = await this.#openJournal(plan);
    const timeline: TransactionResult["timeline"] = [];
    try {
      const outcome = await runTransaction(plan, {
        workers: this.workers,
        journal,
        holder: new KeeperHold({ protectedPaths: protectedPaths(store.state), name: plan.id }),
        holdGate: this.#holdGateFor(journal),
        rendezvous,
        sidecars: store.sidecars,
        exposures: store.exposures,
        emit: this.emit,
        limits: settings.limits,
        keep: (set) => this.#record(set),
        signal: this.signal,
        timeline,
      });
      if (outcome.type === "aborted") await store.catalog.remove(plan.id);
      await writeEnd(journal, outcome);
      return resultOf(outcome, timeline);
    } finally {
      journal.close();
    }
  }

  async #record(set: SnapshotSet): Promise<SnapshotSet> {
    const { audit, catalog } = this.context.store;
    if (set.retainUntil !== undefined) await audit.note(this.context.requester, "retain", set, set.retainUntil);
    const recorded = await catalog.add(set);
    const { clockDoubt } = recorded;
    if (clockDoubt !== undefined) {
      const message = `The clock has jumped ${clockDoubt.type}: ${clockDoubt.expected} was expected. The time of set ${set.id} is in doubt.`;
      this.emit({ type: "warning", message });
    }
    return recorded;
  }

  /** Records and reports how the transaction ended. */
  async end(
    { outcome, exitCode, set, error, residue, timeline }: TransactionResult,
    request: SnapshotRequest,
  ): Promise<void> {
    const { targets, name } = request;
    await this.context.store.history.append({
      at: new Date().toISOString(),
      outcome,
      targets: [...targets],
      ...(name === undefined ? {} : { name }),
      ...(set === null ? {} : reachedBy(set)),
      ...(error === null ? {} : { cause: error }),
      timeline,
    });
    this.emit({
      type: "ended",
      outcome,
      exitCode,
      residue,
      ...(set === null ? {} : { set: set.id, consistency: set.consistency }),
      ...(error === null ? {} : { error }),
    });
  }

  /** The same if nothing was begun. */
  async refuse(thrown: unknown, { targets, name }: SnapshotRequest): Promise<void> {
    const error = toFault(thrown);
    const ending = endingOf(error.code, "not-begun");
    const at = new Date().toISOString();
    const { history } = this.context.store;
    const named = name === undefined ? {} : { name };
    await history.append({ at, outcome: ending.outcome, ...named, targets: [...targets], cause: error, timeline: [] });
    this.emit({ type: "ended", ...ending, error, residue: [] });
  }

  /** If the disk cannot take what is about to be done, the transaction ends here: nothing was touched. */
  async #openJournal(plan: Plan): Promise<Journal> {
    const { store, requester } = this.context;
    const { id, cut, request, writers, providers } = plan;
    const journal = await store.journals.open(id);
    try {
      await store.journals.forgetUndone();
      await journal.write({
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
      await store.audit.note(requester, "create", {
        id,
        ...(request.name === undefined ? {} : { name: request.name }),
      });
      await store.catalog.makeSidecarDirs(
        id,
        writers.map(({ who }) => who.instance),
      );
      return journal;
    } catch (error) {
      journal.close();
      await store.catalog.remove(id);
      await store.journals.forget(id);
      throw stateError(store.state, error);
    }
  }

  /** From suspend to resume this process neither reports nor writes anything. */
  #holdGateFor(journal: Journal): HoldGate {
    const { gate } = this.context.store;
    const { emitter } = this;
    return {
      async suspend() {
        emitter.suspend();
        journal.suspend();
        await gate.suspend();
      },
      async resume(): Promise<Fault | null> {
        gate.resume();
        emitter.resume();
        try {
          await journal.resume();
          return null;
        } catch (error) {
          return toFault(error);
        }
      },
      pass: () => gate.pass(),
    };
  }
}

function reachedBy(set: SnapshotSet): Partial<PastTransaction> {
  const { id, consistency, frozenMs } = set;
  const method = freezeMethod(set);
  return { id, consistency, frozenMs, ...(method === "" ? {} : { freezeMethod: method }) };
}

/** If the disk is full, only this line is lost: the set's record decides, and `recover` finds nothing to undo. */
async function writeEnd(journal: Journal, { type, residue }: TransactionOutcome): Promise<void> {
  if (type === "unsettled") return;
  try {
    await journal.write({
      entry: "ended",
      outcome: type,
      residue: residue.map(({ actor, error }) => ({ actor, fault: error })),
    });
  } catch {
    // Recovery finds a transaction without an end, of which everything is undone or recorded.
  }
}

function resultOf(outcome: TransactionOutcome, timeline: TransactionResult["timeline"]): TransactionResult {
  const { residue } = outcome;
  if (outcome.type === "created") {
    const { set } = outcome;
    const ending = endingOfSet(isDegraded(set) ? "lower" : "as-asked", residue);
    return { ...ending, set, error: null, residue, timeline };
  }
  const { type, cause } = outcome;
  return {
    ...endingOf(cause.code, residue.length > 0 || type === "unsettled" ? "residue" : "undone"),
    set: null,
    error: cause,
    residue,
    timeline,
  };
}
