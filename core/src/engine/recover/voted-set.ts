import type { Settings } from "../../base/config/settings.js";
import { HoldstillError, toFault } from "../../base/errors/error.js";
import type { Fault, SnapshotSet } from "../../base/schema/types.js";
import type { JournalAccount } from "../../store/journal-account.js";
import type { EngineContext } from "../types.js";

type VotedAccount = JournalAccount & { readonly voted: SnapshotSet };

/** Whether only the verdict of the other hosts decides about the transaction. */
export const isVoted = (account: JournalAccount): account is VotedAccount =>
  account.voted !== null && account.ended === null;

/** The key with the verdict; null: the config has no cluster. */
export const verdictKey = ({ cluster }: Settings, set: string): string | null =>
  cluster === null ? null : `${cluster.prefix}verdict/${set}`;

/** `done` tells the requester, as far as etcd can be reached. */
export type Settlement =
  /** The set has its record. */
  | { type: "kept"; done: () => Promise<void> }
  /** It is to be undone now. */
  | { type: "undo"; done: () => Promise<void> }
  | { type: "in-doubt"; fault: Fault; done: () => Promise<void> };

const nothing = (): Promise<void> => Promise.resolve();

const inDoubt = (error: unknown): Settlement => ({ type: "in-doubt", fault: toFault(error), done: nothing });

/** Asks for the verdict. If there is none, this host withdraws its vote. */
export async function settle(
  { settings: { cluster }, store }: EngineContext,
  { id: set, voted }: VotedAccount,
): Promise<Settlement> {
  if (cluster === null)
    return inDoubt(new HoldstillError("E_CLUSTER_DOUBT", { set, key: "the verdict, once `cluster` is in the config" }));
  const { openCluster } = await import("../../cluster/open.js");
  const { fateOfVoted, settleLeft } = await import("../../cluster/fate.js");
  const { engine, keys, self } = openCluster(cluster);
  const place = { engine, keys, self, set };
  const done = (fate: "kept" | "undone") => async (): Promise<void> => {
    const again = openCluster(cluster);
    await settleLeft({ ...place, engine: again.engine }, fate).catch(() => undefined);
    again.engine.close();
  };
  try {
    const verdict = await fateOfVoted(place);
    if (verdict.type === "unknown") return inDoubt(verdict.error);
    if (verdict.type === "abort") return { type: "undo", done: done("undone") };
    if (!store.catalog.has(set)) await store.catalog.add({ ...voted, cluster: verdict.cluster });
    return { type: "kept", done: done("kept") };
  } catch (error) {
    return inDoubt(error);
  } finally {
    engine.close();
  }
}
