import { toFault } from "../../base/errors/error.js";
import type { Who } from "../../base/errors/details.js";
import type { RecordedWriter, Repair, SnapshotSet } from "../../base/schema/types.js";
import type { WriterTransaction } from "../../host/contract/context.js";
import { isWriter } from "../../host/isolation/session.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import { Repairs, type SealedSnapshot } from "../../transaction/repair.js";
import type { EngineContext } from "../types.js";

/**
 * The writers of this host repair what another host has cut, each in a fork. A repair that fails is in the record, as after `create`; the
 * snapshots as they were cut are there all the same.
 *
 * @param provider Of all snapshots.
 */
export async function repairImported(
  context: EngineContext,
  workers: PluginWorkers,
  provider: Who,
  set: SnapshotSet,
): Promise<SnapshotSet> {
  const { store, settings } = context;
  const { limits } = settings;
  const repairs = new Repairs({
    workers,
    limits,
    set: set.id,
    // The digest of the export is that of the snapshots as they were cut.
    whyOnlyForks: (_, { instance }) => `${instance} makes no fork of a snapshot`,
    exposures: store.exposures,
  });
  const sealed = set.snapshots.map(({ snapshot }): SealedSnapshot => ({ who: provider, snapshot }));
  const repairOf = async (writer: RecordedWriter): Promise<Repair | undefined> => {
    const { instance } = writer.by;
    const own = set.components.filter((one) => one.writer === instance);
    // Also where the other host leaves the repair to this one.
    const components = own.map(({ component }) => ({ ...component, repair: "fork" as const }));
    if (writer.state === "left-out" || writer.repair !== undefined || own.length === 0) return writer.repair;
    const known = workers.plugins.get(instance);
    if (known?.who.role !== "writer" || known.who.plugin !== writer.by.plugin)
      return passedOver(`the config of this host has no writer ${instance} (${writer.by.plugin})`);
    const session = await workers.session(instance);
    if (!isWriter(session) || !session.offers("repair")) return undefined;
    const tx: WriterTransaction = {
      id: set.id,
      cut: set.cut,
      components,
      sidecarDir: store.sidecars.folder(set.id, instance),
    };
    const planned = { components, volumes: [...new Set(own.flatMap((one) => one.volumes))] };
    try {
      return await repairs.run(session, planned, tx, sealed, limits.repair);
    } catch (error) {
      return repairs.failedOf(instance) ?? { state: "failed", in: [], reason: toFault(error).message };
    }
  };
  const writers: RecordedWriter[] = [];
  for (const writer of set.writers) {
    const { repair: _, ...rest } = writer;
    const repair = await repairOf(writer);
    writers.push(repair === undefined ? rest : { ...rest, repair });
  }
  const forks = repairs.forks.map(({ who: { instance, plugin, version }, snapshot }) => ({
    by: { instance, plugin, version },
    snapshot,
  }));
  return { ...set, writers, snapshots: [...set.snapshots, ...forks] };
}

const passedOver = (reason: string): Repair => ({ state: "passed-over", in: [], reason });
