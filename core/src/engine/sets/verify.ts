import { mkdirSync } from "node:fs";
import path from "node:path";
import { HoldstillError, toFault } from "../../base/errors/error.js";
import { isProvider, isWriter, type Session } from "../../host/isolation/session.js";
import type { WriterTransaction } from "../../host/contract/context.js";
import type { ExposedTree, RecordedSnapshot, Report, SnapshotSet, Verification } from "../../base/schema/types.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import { removeEmpty } from "../../transaction/repair.js";
import { undoAll } from "../../transaction/undo-all.js";
import { refuseLost } from "./lost-snapshots.js";
import type { EngineContext } from "../types.js";

/**
 * Has each writer start its application on a snapshot, which is writable and thrown away, and look. What they found is kept in the
 * record. A snapshot that cannot be shown so, or a writer that fails, is a finding too.
 *
 * @throws HoldstillError E_SET_EXPOSED when somebody reads the set, E_SNAPSHOT_LOST when a snapshot of it is gone, E_NOT_OFFERED when
 * no writer of the set can verify.
 */
export async function verifySet(bench: EngineContext, workers: PluginWorkers, set: SnapshotSet): Promise<SnapshotSet> {
  if ((set.exposed ?? []).length > 0) throw new HoldstillError("E_SET_EXPOSED", { set: set.id });
  refuseLost(set);
  const able = await ableWriters(workers, set);
  const found: Verification[] = [];
  for (const session of able) {
    const report = await look(bench, workers, set, session);
    found.push({ writer: session.who.instance, at: new Date().toISOString(), ...report });
  }
  const others = (set.verified ?? []).filter(({ writer }) => found.every((one) => one.writer !== writer));
  const now = { ...set, verified: [...others, ...found] };
  await bench.writeGate.pass();
  bench.catalog.write(now);
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

async function look(
  bench: EngineContext,
  workers: PluginWorkers,
  set: SnapshotSet,
  writer: Session<"writer">,
): Promise<Report> {
  const { instance } = writer.who;
  const own = set.components.filter((component) => component.writer === instance);
  const volumes = new Set(own.flatMap((component) => component.volumes));
  const forked = new Set(set.snapshots.map(({ snapshot }) => snapshot.of));
  const pictures = set.snapshots.filter(({ snapshot }) => volumes.has(snapshot.volumeId) && !forked.has(snapshot.id));
  const tx: WriterTransaction = {
    id: set.id,
    cut: set.cut,
    components: own.map(({ component }) => component),
    sidecarDir: bench.catalog.sidecarDir(set.id, instance),
  };
  const limit = bench.settings.limits.repair;
  try {
    return await withScratch(bench, workers, set, pictures, (trees) =>
      writer.call("verify", [tx, { trees, readOnly: false }], limit),
    );
  } catch (error) {
    return { ok: false, reason: toFault(error).message };
  }
}

/** Shows the snapshots writable, so that what is written is gone afterwards, whatever happens. */
async function withScratch<T>(
  { settings, writeGate }: EngineContext,
  workers: PluginWorkers,
  { id }: SnapshotSet,
  pictures: readonly RecordedSnapshot[],
  use: (trees: ExposedTree[]) => Promise<T>,
): Promise<T> {
  const shown: { provider: Session<"provider">; picture: RecordedSnapshot; at: string }[] = [];
  try {
    const trees: ExposedTree[] = [];
    for (const [number, picture] of pictures.entries()) {
      const provider = await workers.session(picture.by.instance);
      if (!isProvider(provider)) continue;
      const at = path.join(settings.exposeDir, id, `verify-${number}`);
      await writeGate.pass();
      mkdirSync(at, { recursive: true, mode: 0o711 });
      shown.push({ provider, picture, at });
      const view = { access: "scratch", at } as const;
      const exposed = await provider.call("expose", [picture.snapshot, view], settings.limits.seal);
      if (exposed.readOnly) throw new Error(`${provider.who.instance} shows its snapshots read-only`);
      trees.push(...exposed.trees);
    }
    return await use(trees);
  } finally {
    await undoAll(shown, async ({ provider, picture, at }) => {
      await provider.call("unexpose", [picture.snapshot], settings.limits.abort);
      removeEmpty(at);
    });
  }
}
