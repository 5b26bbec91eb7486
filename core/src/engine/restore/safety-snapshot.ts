import { hostname } from "node:os";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import type { Who } from "../../base/errors/details.js";
import { HoldstillError, toFault } from "../../base/errors/error.js";
import { isProvider, type Session } from "../../host/isolation/session.js";
import { newSetId } from "../../plan/set-id.js";
import type { Fault, RecordedSnapshot, SnapshotSet } from "../../base/schema/types.js";
import { ownVersion } from "../../installation.js";
import type { EngineContext } from "../types.js";

/** The set of what was there before a revert; or the reason why there is none, in which case the revert continues without it. */
export type Safety = { set: SnapshotSet } | { set: null; reason: Fault };

/**
 * Takes a snapshot of what a revert is about to overwrite: of all volumes, or of none. It has its own journal, so that `recover` undoes
 * what a process that dies has begun.
 *
 * @throws what a provider refuses for another reason than space, such as that a volume is in use: then nothing is left.
 */
export async function takeSafetySet(
  context: EngineContext,
  workers: PluginWorkers,
  reverted: SnapshotSet,
  pairs: readonly (readonly [RecordedSnapshot, Session<"provider">])[],
): Promise<Safety> {
  const unable = pairs.find(([, session]) => !session.offers("preserve"))?.[1];
  if (unable !== undefined)
    return { set: null, reason: toFault(new HoldstillError("E_NOT_OFFERED", { who: unable.who, op: "preserve" })) };
  const tx = { id: newSetId(), cut: "per-volume" } as const;
  const label = { name: nameOf(reverted), hostname: hostname() };
  const providers = [...new Set(pairs.map(([, session]) => session))].map(({ who }) => who);
  const { catalog, journals } = context.store;
  const journal = await journals.open(tx.id);
  try {
    const enlisted = providers.map((who) => ({ who }));
    const at = new Date().toISOString();
    const { targets } = reverted;
    await journal.write({
      entry: "begun",
      version: 1,
      id: tx.id,
      pid: process.pid,
      at,
      cut: tx.cut,
      targets,
      enlisted,
    });
    const snapshots: RecordedSnapshot[] = [];
    try {
      for (const [{ by, snapshot }, session] of pairs) {
        await journal.write({ entry: "asked", actor: by.instance, op: "preserve" });
        const made = await session.call("preserve", [snapshot, { ...tx, label }], context.settings.limits.prepare);
        snapshots.push({ by, snapshot: made });
      }
      const set = await catalog.add(recordOf(reverted, tx, at, snapshots));
      await journal.write({ entry: "ended", outcome: "created", residue: [] });
      return { set };
    } catch (error) {
      const residue = await undo(context, workers, providers, tx);
      await journal.write({ entry: "ended", outcome: "aborted", residue });
      const reason = toFault(error);
      if (reason.code === "E_PLUGIN_FAILED" && reason.details?.["pluginCode"] === "NO_SAFETY")
        return { set: null, reason };
      throw error;
    }
  } finally {
    journal.close();
  }
}

async function undo(
  { settings }: EngineContext,
  workers: PluginWorkers,
  providers: readonly Who[],
  tx: { readonly id: string; readonly cut: "per-volume" },
): Promise<{ actor: string; fault: Fault }[]> {
  const residue: { actor: string; fault: Fault }[] = [];
  for (const { instance } of providers) {
    try {
      // Another worker, if the first one died of what it did.
      const session = await workers.session(instance);
      if (isProvider(session)) await session.call("abort", [tx], settings.limits.abort);
    } catch (error) {
      residue.push({ actor: instance, fault: toFault(error) });
    }
  }
  return residue;
}

const nameOf = ({ id }: Pick<SnapshotSet, "id">): string => `before-revert-${id}`;

/** No process used the volumes, and no writer took part: at worst the snapshots are what a crash would have left. */
function recordOf(
  { id, targets, components, volumes, recordVersion }: SnapshotSet,
  tx: { readonly id: string; readonly cut: "per-volume" },
  createdAt: string,
  snapshots: RecordedSnapshot[],
): SnapshotSet {
  const reason = `taken of what was there before set ${id} was reverted to`;
  return {
    recordVersion,
    ...tx,
    name: nameOf({ id }),
    tags: {},
    createdAt,
    host: hostname(),
    holdstill: ownVersion(),
    targets,
    asked: "crash",
    consistency: "crash",
    frozenMs: 0,
    components: components.map((component) => ({ ...component, consistency: "crash", reason })),
    writers: [],
    volumes,
    snapshots,
    timeline: [],
  };
}
