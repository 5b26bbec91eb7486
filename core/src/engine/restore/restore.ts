import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { audit } from "../../store/audit.js";
import { HoldstillError, toFault } from "../../base/errors/error.js";
import { copyTree } from "../../os/exec/tree-copy.js";
import { isWriter, type Session } from "../../host/isolation/session.js";
import type { Fault, SnapshotSet } from "../../base/schema/types.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import { swapIntoPlace } from "../../store/swap-into-place.js";
import type { Safety } from "./safety-snapshot.js";
import type { RestorePlan, RestoreStep } from "./restore-plan.js";
import { unexposeSet, exposeSet } from "../sets/sets.js";
import { exposedPathOf, exposedTrees } from "../sets/exposed-trees.js";
import type { EngineContext } from "../types.js";
import { interruptible } from "../operation.js";

export interface Restored {
  set: SnapshotSet;
  /** What was copied; none where the storage put whole volumes back. */
  steps: RestoreStep[];
  /** Writers that could not finish: the data is in place, and its application may not start. */
  unfinished: { writer: string; error: Fault }[];
}

export interface Reverted extends Restored {
  /** What was there before. */
  safety: Safety;
}

/**
 * Copies the snapshots to where the data was, or elsewhere. In place each writer must say first that its application is down. All
 * copies are made before the first one takes its place; what was there is kept beside it.
 *
 * @throws HoldstillError E_NOT_OFFERED, or what the writer said, before anything is touched.
 */
export async function restoreSet(
  bench: EngineContext,
  workers: PluginWorkers,
  plan: RestorePlan,
  signal: AbortSignal,
): Promise<Restored> {
  const writers =
    plan.where === "elsewhere"
      ? []
      : await interruptible({ workers, signal }, () => readyWriters(bench, workers, plan.set, plan.writers));
  await bench.writeGate.pass();
  audit(bench, "restore", plan.set, plan.steps.map(({ to }) => to).join(" "));
  const wasExposed = (plan.set.exposed ?? []).length > 0;
  try {
    const set = await exposeSet(bench, workers, plan.set);
    await draw(bench, set, plan.steps, signal);
    await swapIntoPlace(plan.steps, () => bench.writeGate.pass());
  } finally {
    await bench.writeGate.pass();
    for (const { draft } of plan.steps) rmSync(draft, { recursive: true, force: true });
    if (!wasExposed) await unexposeSet(bench, workers, bench.catalog.find(plan.set.id));
  }
  if (plan.where === "elsewhere") await copyRecord(bench, plan, signal);
  return { set: plan.set, steps: plan.steps, unfinished: await finishRestore(bench, plan.set, writers) };
}

/** Writers that say that nothing of theirs runs. One that cannot say so is not trusted to be down. */
export async function readyWriters(
  bench: EngineContext,
  workers: PluginWorkers,
  set: SnapshotSet,
  writers: readonly string[],
): Promise<Session<"writer">[]> {
  const sessions: Session<"writer">[] = [];
  for (const instance of writers) {
    const session = await workers.session(instance);
    if (!isWriter(session)) continue;
    if (!session.offers("beforeRestore"))
      throw new HoldstillError("E_NOT_OFFERED", { who: session.who, op: "beforeRestore" });
    await session.call("beforeRestore", [set], bench.settings.limits.repair);
    sessions.push(session);
  }
  return sessions;
}

async function draw(
  { writeGate }: EngineContext,
  set: SnapshotSet,
  steps: readonly RestoreStep[],
  signal: AbortSignal,
): Promise<void> {
  const trees = exposedTrees(set);
  for (const { original, to, draft } of steps) {
    const picture = exposedPathOf(original, trees);
    if (picture === null) throw refusal(to, "its snapshot is not in the set", "See `holdstill show`.");
    await writeGate.pass();
    rmSync(draft, { recursive: true, force: true });
    mkdirSync(path.dirname(to), { recursive: true });
    try {
      await copyTree(picture, draft, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw refusal(to, toFault(error).message, "Nothing was changed.");
    }
  }
}

const refusal = (to: string, reason: string, mend: string): HoldstillError =>
  new HoldstillError("E_RESTORE", { path: to, reason, remedy: mend });

/** So that what was restored elsewhere can be completed there: label, WAL and the like. */
async function copyRecord(
  { catalog }: EngineContext,
  { set, steps: [step] }: RestorePlan,
  signal: AbortSignal,
): Promise<void> {
  if (step === undefined) return;
  const folder = step.to.slice(0, -step.original.length);
  await copyTree(catalog.folder(set.id), path.join(folder, ".holdstill"), signal);
}

export async function finishRestore(
  bench: EngineContext,
  set: SnapshotSet,
  writers: readonly Session<"writer">[],
): Promise<Restored["unfinished"]> {
  const unfinished: Restored["unfinished"] = [];
  for (const session of writers) {
    const { who } = session;
    try {
      if (!session.offers("afterRestore")) throw new HoldstillError("E_NOT_OFFERED", { who, op: "afterRestore" });
      await session.call("afterRestore", [set], bench.settings.limits.repair);
    } catch (error) {
      unfinished.push({ writer: who.instance, error: toFault(error) });
    }
  }
  return unfinished;
}
