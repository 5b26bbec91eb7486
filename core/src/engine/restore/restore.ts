import { HoldstillError, toFault } from "../../base/errors/error.js";
import { isWriter, type Session } from "../../host/isolation/session.js";
import type { Restored, RestorePlan } from "../../base/schema/types.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import { RestoreCopies } from "./restore-copies.js";
import { RestoredFlags } from "./restored-flags.js";
import type { Safety } from "./safety-snapshot.js";
import { ownPart } from "./own-part.js";
import type { EngineContext } from "../types.js";
import type { Operation } from "../operation.js";

export interface Reverted extends Restored {
  /** What was there before. */
  safety: Safety;
  /** Mount points of volumes that are to be mounted before the writers can finish; absent: none. */
  unmounted?: string[];
}

/**
 * Copies the snapshots to where the data was, or elsewhere. In place, each writer must first confirm that its application is down. All
 * copies are made before the first one takes its place; what was there is kept beside it.
 *
 * @throws HoldstillError E_NOT_OFFERED, or the writer's error, before anything is touched; E_RESTORE, E_PATH_UNSAFE, E_PATH_FAILED.
 */
export async function restoreSet(context: EngineContext, operation: Operation, plan: RestorePlan): Promise<Restored> {
  const { store, requester } = context;
  const { workers, signal } = operation;
  const writers =
    plan.where === "elsewhere" ? [] : await operation.interruptible(() => readyWriters(context, workers, plan));
  await store.audit.note(requester, "restore", plan.set, plan.steps.map(({ to }) => to).join(" "));
  using flags = new RestoredFlags();
  const copies = await RestoreCopies.begin(context, workers, plan);
  try {
    await copies.make(flags, signal);
    await copies.swap();
  } catch (error) {
    // The first cause is what the caller needs; `recover` finds what is left.
    await copies.end().catch(() => undefined);
    throw error;
  }
  await copies.end();
  const unfinished = await finishRestore(context, plan, writers);
  const withoutFlags = flags.lock();
  return { set: plan.set, steps: plan.steps, unfinished, ...(withoutFlags && { withoutFlags }) };
}

/** The writers, each of which has confirmed that its application is down. One that cannot confirm that is refused. */
export async function readyWriters(
  context: EngineContext,
  workers: PluginWorkers,
  { set, writers, contents }: Pick<RestorePlan, "set" | "writers" | "contents">,
): Promise<Session<"writer">[]> {
  const sessions: Session<"writer">[] = [];
  for (const instance of writers) {
    const session = await workers.session(instance);
    if (!isWriter(session)) continue;
    if (!session.offers("beforeRestore"))
      throw new HoldstillError("E_NOT_OFFERED", { who: session.who, op: "beforeRestore" });
    await session.call("beforeRestore", [ownPart(set, instance, contents)], context.settings.limits.repair);
    sessions.push(session);
  }
  return sessions;
}

/** A writer without `afterRestore` has nothing left to do. */
export async function finishRestore(
  context: EngineContext,
  { set, contents }: Pick<RestorePlan, "set" | "contents">,
  writers: readonly Session<"writer">[],
): Promise<Restored["unfinished"]> {
  const unfinished: Restored["unfinished"] = [];
  for (const session of writers.filter((one) => one.offers("afterRestore"))) {
    const { who } = session;
    try {
      await session.call("afterRestore", [ownPart(set, who.instance, contents)], context.settings.limits.repair);
    } catch (error) {
      unfinished.push({ writer: who.instance, error: toFault(error) });
    }
  }
  return unfinished;
}
