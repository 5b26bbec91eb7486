import type { Who } from "../../base/errors/details.js";
import { HoldstillError, toFault } from "../../base/errors/error.js";
import type { RecordedSnapshot, RecordedWriter, Repair, SnapshotSet } from "../../base/schema/types.js";
import type { WriterTransaction } from "../../host/contract/context.js";
import { isWriter } from "../../host/isolation/session.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import { isRepaired } from "../../transaction/participants.js";
import { Repairs, type SealedSnapshot } from "../../transaction/repair.js";
import type { Operation } from "../operation.js";
import type { EngineContext } from "../types.js";
import { readySet } from "./ready-set.js";
import { providerOf } from "./sets.js";
import { listedBySet, strayForks } from "./stray-forks.js";

/**
 * The writers repair forks of the set's snapshots, if they have not done it yet or have failed. What was cut stays as it is, also if
 * this process dies: a provider without forks is passed over. The record has each result at once.
 *
 * @throws HoldstillError E_SET_EXPOSED, E_SNAPSHOT_LOST, E_SNAPSHOT_CREATING; the reason of the signal, and then the repair that was under way
 * has left nothing
 */
export async function repairSet(
  context: EngineContext,
  operation: Pick<Operation, "workers" | "signal">,
  known: SnapshotSet,
): Promise<SnapshotSet> {
  if ((known.exposed ?? []).length > 0) throw new HoldstillError("E_SET_EXPOSED", { set: known.id });
  const { workers } = operation;
  let now = await withoutSpoilt(context, workers, await readySet(context, workers, known));
  const repairs = new Repairs({
    workers,
    limits: context.settings.limits,
    set: now.id,
    whyOnlyForks: (_, { instance }) => `${instance} makes no fork of a snapshot`,
    exposures: context.store.exposures,
  });
  for (const writer of now.writers.filter((one) => isDue(now, one)))
    now = await repairBy(context, operation, now, repairs, writer);
  return now;
}

function isDue({ components }: SnapshotSet, { by, state, repair }: RecordedWriter): boolean {
  const own = components.flatMap(({ writer, component }) => (writer === by.instance ? [component] : []));
  return state !== "left-out" && repair?.state !== "repaired" && isRepaired(own);
}

async function repairBy(
  context: EngineContext,
  { workers, signal }: Pick<Operation, "workers" | "signal">,
  set: SnapshotSet,
  repairs: Repairs,
  { by: { instance } }: RecordedWriter,
): Promise<SnapshotSet> {
  signal.throwIfAborted();
  const session = await workers.session(instance);
  if (!isWriter(session)) return set;
  const own = set.components.filter(({ writer }) => writer === instance);
  const planned = {
    components: own.map(({ component }) => component),
    volumes: own.flatMap(({ volumes }) => volumes),
  };
  const tx: WriterTransaction = {
    id: set.id,
    cut: set.cut,
    components: planned.components,
    sidecarDir: context.store.sidecars.folder(set.id, instance),
  };
  const interrupt = (): void => {
    repairs.cancel();
    session.cancel();
  };
  signal.addEventListener("abort", interrupt, { once: true });
  try {
    const repair = await repairs
      .run(session, planned, tx, set.snapshots.map(sealed), context.settings.limits.repair)
      .catch((error: unknown): Repair => repairs.failedOf(instance) ?? failed(error));
    const now = recorded(set, repairs, instance, repair);
    await context.store.catalog.write(now);
    if (!signal.aborted) return now;
    await withoutSpoilt(context, workers, now);
    throw signal.reason;
  } finally {
    signal.removeEventListener("abort", interrupt);
  }
}

function recorded(set: SnapshotSet, { forks }: Repairs, instance: string, repair: Repair): SnapshotSet {
  const known = new Set(set.snapshots.map(({ snapshot }) => snapshot.id));
  const made = forks.filter(({ snapshot }) => !known.has(snapshot.id));
  return {
    ...set,
    snapshots: [...set.snapshots, ...made.map(({ who, snapshot }) => ({ by: refOf(who), snapshot }))],
    writers: set.writers.map((one) => (one.by.instance === instance ? { ...one, repair } : one)),
  };
}

/**
 * Removes forks in which a repair has failed, and those of a process that died before it could write them down. The repairs of the
 * former are due again.
 */
async function withoutSpoilt(context: EngineContext, workers: PluginWorkers, set: SnapshotSet): Promise<SnapshotSet> {
  const { settings, store } = context;
  const failedIn = new Set(set.writers.flatMap(({ repair }) => (repair?.state === "failed" ? repair.in : [])));
  const spoilt = set.snapshots.filter(({ snapshot: { id, of } }) => of !== undefined && failedIn.has(id));
  const { listed } = await listedBySet(workers, set, settings.limits.identify);
  const stray = strayForks(set, listed);
  for (const one of [...spoilt, ...stray]) {
    const provider = await providerOf(workers, one);
    await provider.call("unexpose", [one.snapshot], settings.limits.abort);
    await provider.call("remove", [one.snapshot], settings.limits.seal);
  }
  await store.exposures.removeAllOf(set.id);
  if (spoilt.length === 0) return set;
  const gone = new Set(spoilt.map(({ snapshot }) => snapshot.id));
  const now = {
    ...set,
    snapshots: set.snapshots.filter(({ snapshot }) => !gone.has(snapshot.id)),
    writers: set.writers.map((one) =>
      one.repair?.in.some((id) => gone.has(id)) === true ? { ...one, repair: pending } : one,
    ),
  };
  await store.catalog.write(now);
  return now;
}

const pending: Repair = { state: "pending", in: [] };

const failed = (error: unknown): Repair => ({ state: "failed", in: [], reason: toFault(error).message });

const sealed = ({ by, snapshot }: RecordedSnapshot): SealedSnapshot => ({
  who: { role: "provider", ...by },
  snapshot,
});

const refOf = ({ instance, plugin, version }: Who): RecordedSnapshot["by"] => ({ instance, plugin, version });
