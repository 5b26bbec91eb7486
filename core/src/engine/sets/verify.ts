import { HoldstillError, toFault } from "../../base/errors/error.js";
import { isProvider, isWriter, type Session } from "../../host/isolation/session.js";
import type { WriterTransaction } from "../../host/contract/context.js";
import type {
  ExposedTree,
  RecordedSnapshot,
  SnapshotSet,
  Verification,
  VerifyReport,
} from "../../base/schema/types.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import { checkExposed } from "../../os/path/exposed-tree.js";
import { undoAll } from "../../transaction/undo-all.js";
import { replacedSnapshots } from "./exposed-trees.js";
import { readySet } from "./ready-set.js";
import type { EngineContext } from "../types.js";

/**
 * Each writer starts its application on a writable copy of the snapshot, which is then thrown away, and checks it. The record keeps
 * the results. If a snapshot cannot be exposed in this way, or a writer fails, the result is that it could not be examined.
 *
 * @throws HoldstillError E_SET_EXPOSED if the set is exposed, E_SNAPSHOT_LOST if a snapshot of it is gone, E_SNAPSHOT_CREATING if one is not finished, E_NOT_OFFERED or E_USAGE if
 * no writer of the set can verify.
 */
export async function verifySet(
  context: EngineContext,
  workers: PluginWorkers,
  known: SnapshotSet,
): Promise<SnapshotSet> {
  if ((known.exposed ?? []).length > 0) throw new HoldstillError("E_SET_EXPOSED", { set: known.id });
  const set = await readySet(context, workers, known);
  const able = await ableWriters(workers, set);
  const found: Verification[] = [];
  for (const session of able) {
    const report = await verifyBy(context, workers, set, session);
    found.push({ writer: session.who.instance, at: new Date().toISOString(), ...report });
  }
  const others = (set.verified ?? []).filter(({ writer }) => found.every((one) => one.writer !== writer));
  const now = { ...set, verified: [...others, ...found] };
  await context.store.catalog.write(now);
  return now;
}

async function ableWriters(workers: PluginWorkers, set: SnapshotSet): Promise<Session<"writer">[]> {
  const able: Session<"writer">[] = [];
  for (const { by } of set.writers.filter(({ state }) => state !== "left-out")) {
    const session = await workers.session(by.instance);
    if (!isWriter(session)) continue;
    if (session.offers("verify")) able.push(session);
    else if (set.writers.length === 1) throw new HoldstillError("E_NOT_OFFERED", { who: session.who, op: "verify" });
  }
  if (able.length > 0) return able;
  const problem = `No writer of set ${set.id} can verify it.`;
  throw new HoldstillError("E_USAGE", { problem, hint: "Expose it, and start the application on a copy." });
}

async function verifyBy(
  context: EngineContext,
  workers: PluginWorkers,
  set: SnapshotSet,
  writer: Session<"writer">,
): Promise<VerifyReport> {
  const { instance } = writer.who;
  const own = set.components.filter((component) => component.writer === instance);
  const volumes = new Set(own.flatMap((component) => component.volumes));
  const replaced = replacedSnapshots(set, "repaired");
  const snapshots = set.snapshots.filter(
    ({ snapshot }) => volumes.has(snapshot.volumeId) && !replaced.has(snapshot.id),
  );
  const tx: WriterTransaction = {
    id: set.id,
    cut: set.cut,
    components: own.map(({ component }) => component),
    sidecarDir: context.store.sidecars.folder(set.id, instance),
  };
  const limit = context.settings.limits.repair;
  try {
    return await withScratch(context, workers, set, snapshots, (trees) =>
      writer.call("verify", [tx, { trees, readOnly: false }], limit),
    );
  } catch (error) {
    return { result: "not-examined", reason: toFault(error).message };
  }
}

/** Exposes the snapshots as scratch copies: what is written to them is gone afterwards, whatever happens. */
async function withScratch<T>(
  { settings, store }: EngineContext,
  workers: PluginWorkers,
  { id }: SnapshotSet,
  snapshots: readonly RecordedSnapshot[],
  use: (trees: ExposedTree[]) => Promise<T>,
): Promise<T> {
  const exposures: { provider: Session<"provider">; recorded: RecordedSnapshot; at: string }[] = [];
  try {
    const trees: ExposedTree[] = [];
    for (const [number, recorded] of snapshots.entries()) {
      const provider = await workers.session(recorded.by.instance);
      if (!isProvider(provider)) continue;
      const at = store.exposures.of(id, `verify-${number}`);
      await store.exposures.make(at);
      exposures.push({ provider, recorded, at });
      const view = { access: "scratch", at } as const;
      const exposed = await provider.call("expose", [recorded.snapshot, view], settings.limits.seal);
      if (exposed.readOnly) throw new Error(`${provider.who.instance} exposes its snapshots read-only`);
      checkExposed(exposed.trees);
      trees.push(...exposed.trees);
    }
    return await use(trees);
  } finally {
    await undoAll(exposures, async ({ provider, recorded, at }) => {
      await provider.call("unexpose", [recorded.snapshot], settings.limits.abort);
      await store.exposures.remove(at);
    });
  }
}
