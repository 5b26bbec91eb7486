import path from "node:path";
import { HoldstillError, toFault } from "../../base/errors/error.js";
import { copyTree } from "../../os/exec/tree-copy.js";
import { isWriter, type Session } from "../../host/isolation/session.js";
import type { Restored, RestorePlan, RestoreStep, SnapshotSet } from "../../base/schema/types.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import type { Safety } from "./safety-snapshot.js";
import { unexposeSet, exposeSet } from "../sets/sets.js";
import { exposedPathOf, exposedTrees } from "../sets/exposed-trees.js";
import { RestoredPaths } from "../../store/restored-paths.js";
import type { EngineContext } from "../types.js";
import type { Operation } from "../operation.js";

export interface Reverted extends Restored {
  /** What was there before. */
  safety: Safety;
}

/**
 * Copies the snapshots to where the data was, or elsewhere. In place, each writer must first confirm that its application is down. All
 * copies are made before the first one takes its place; what was there is kept beside it.
 *
 * @throws HoldstillError E_NOT_OFFERED, or the writer's error, before anything is touched.
 */
export async function restoreSet(context: EngineContext, operation: Operation, plan: RestorePlan): Promise<Restored> {
  const { store, requester } = context;
  const { workers, signal } = operation;
  const restored = new RestoredPaths(store.gate);
  const writers =
    plan.where === "elsewhere"
      ? []
      : await operation.interruptible(() => readyWriters(context, workers, plan.set, plan.writers));
  await store.audit.note(requester, "restore", plan.set, plan.steps.map(({ to }) => to).join(" "));
  const wasExposed = (plan.set.exposed ?? []).length > 0;
  try {
    const set = await exposeSet(context, workers, plan.set);
    await copyAll(restored, set, plan.steps, signal);
    await restored.swap(plan.steps);
  } finally {
    await restored.discard(plan.steps.map(({ draft }) => draft));
    if (!wasExposed) await unexposeSet(context, workers, store.catalog.find(plan.set.id));
  }
  if (plan.where === "elsewhere") await copyRecord(context, plan, signal);
  return { set: plan.set, steps: plan.steps, unfinished: await finishRestore(context, plan.set, writers) };
}

/** The writers, each of which has confirmed that its application is down. One that cannot confirm that is refused. */
export async function readyWriters(
  context: EngineContext,
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
    await session.call("beforeRestore", [set], context.settings.limits.repair);
    sessions.push(session);
  }
  return sessions;
}

async function copyAll(
  restored: RestoredPaths,
  set: SnapshotSet,
  steps: readonly RestoreStep[],
  signal: AbortSignal,
): Promise<void> {
  const trees = exposedTrees(set);
  for (const step of steps) {
    const { original, to, draft } = step;
    const source = exposedPathOf(original, trees);
    if (source === null) throw refusal(to, "its snapshot is not in the set", "See `holdstill show`.");
    await restored.clear(step);
    try {
      await copyTree(source, draft, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw refusal(to, toFault(error).message, "Nothing was changed.");
    }
  }
}

const refusal = (to: string, reason: string, remedy: string): HoldstillError =>
  new HoldstillError("E_RESTORE", { path: to, reason, remedy });

/** Backup label, WAL, and the like, so that what was restored elsewhere can be completed there. */
async function copyRecord(
  { store: { catalog } }: EngineContext,
  { set, steps: [step] }: RestorePlan,
  signal: AbortSignal,
): Promise<void> {
  if (step === undefined) return;
  const folder = step.to.slice(0, -step.original.length);
  await copyTree(catalog.folder(set.id), path.join(folder, ".holdstill"), signal);
}

export async function finishRestore(
  context: EngineContext,
  set: SnapshotSet,
  writers: readonly Session<"writer">[],
): Promise<Restored["unfinished"]> {
  const unfinished: Restored["unfinished"] = [];
  for (const session of writers) {
    const { who } = session;
    try {
      if (!session.offers("afterRestore")) throw new HoldstillError("E_NOT_OFFERED", { who, op: "afterRestore" });
      await session.call("afterRestore", [set], context.settings.limits.repair);
    } catch (error) {
      unfinished.push({ writer: who.instance, error: toFault(error) });
    }
  }
  return unfinished;
}
