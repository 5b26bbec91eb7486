import { toFault } from "../../base/errors/error.js";
import { isProvider, isWriter } from "../../host/isolation/session.js";
import type { Residue } from "../../base/schema/types.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import { releaseAbandoned } from "../../keeper/client/release-abandoned.js";
import { abandonedHolds } from "../../keeper/hold-register.js";
import { targetName } from "../../keeper/section.js";
import { type JournalAccount, type UnreadableJournal, unreadableJournal } from "../../store/journal-account.js";
import { expiredSets, forgetExpired, removeExpired } from "../lease/expired-sets.js";
import { undoUnfinishedRestore, unfinishedRestores } from "../restore/unfinished-restore.js";
import { adopt, unrecordedSets } from "./adopt.js";
import { deletedSnapshots } from "./deleted-snapshots.js";
import { removeStrayExposure, strayExposures } from "./stray-exposures.js";
import { isVoted, settle, verdictKey } from "./voted-set.js";
import type { EngineContext, Leftover, ProviderStatus } from "../types.js";

/**
 * What is left of transactions that died or could not undo everything, snapshots that no record names, and storage that could not be
 * looked at. Changes nothing. A set that neither a record, a journal, nor a tombstone names may be another host's, or its state
 * directory was lost.
 *
 * @param providers What the providers list.
 */
export function findLeftovers(context: EngineContext, providers: readonly ProviderStatus[]): Leftover[] {
  const { catalog, journals, tombstones } = context.store;
  const { accounts, unreadable } = journals.list();
  const all = accounts.filter((account) => !journals.isUnderWay(account));
  const open = all.filter((account) => isOpen(context, account));
  const closed = new Set(all.filter((account) => !open.includes(account)).map((account) => account.id));
  const stray = providers.flatMap((provider): Leftover[] =>
    ("snapshots" in provider ? provider.snapshots : [])
      .filter(({ setId }) => closed.has(setId) && !catalog.has(setId))
      .map((snapshot) => ({ type: "snapshot", provider: provider.who.instance, snapshot })),
  );
  const known = new Set([...accounts, ...tombstones.read()].map(({ id }) => id));
  return [
    ...open.filter(isVoted).map(({ id, begun }): Leftover => ({
      type: "voted",
      id,
      begunAt: begun.at,
      key: verdictKey(context.settings, id),
    })),
    ...open
      .filter((account) => !isVoted(account))
      .map(({ id, begun, owed }): Leftover => ({
        type: "transaction",
        id,
        begunAt: begun.at,
        owed: owed.map(({ enlisted }) => ({ who: enlisted.who })),
        held: abandonedHolds(id)?.targets.map(targetName) ?? [],
      })),
    ...unreadable
      .filter(({ id }) => !journals.isHeld(id))
      .map((journal): Leftover => ({ type: "unreadable", ...journal })),
    ...stray,
    ...deletedSnapshots(context.store, providers),
    ...unfinishedRestores(context).map(({ id, restoring }): Leftover => ({
      type: "restore",
      id,
      drafts: restoring?.drafts.map(({ path }) => path) ?? [],
    })),
    ...unrecordedSets(providers, known, catalog),
    ...strayExposures(context).map(({ id }): Leftover => ({ type: "exposure", id })),
    ...expiredSets(context).flatMap(({ id, createdAt, lease }): Leftover[] =>
      lease === undefined ? [] : [{ type: "expired", id, createdAt, lease }],
    ),
    ...providers.flatMap((one): Leftover[] =>
      "error" in one ? [{ type: "unseen", provider: one.who.instance, error: one.error }] : [],
    ),
  ];
}

/** Undoes the leftovers, each as far as it goes. */
export async function recoverAll(
  context: EngineContext,
  workers: PluginWorkers,
  all: readonly Leftover[],
): Promise<{ done: Leftover[]; residue: Residue[] }> {
  const done: Leftover[] = [];
  const residue: Residue[] = [];
  for (const leftover of all) {
    const left = await clear(context, workers, leftover);
    residue.push(...left);
    if (left.length === 0) done.push(leftover);
  }
  await forgetExpired(context);
  return { done, residue };
}

function clear(context: EngineContext, workers: PluginWorkers, leftover: Leftover): Promise<Residue[]> {
  switch (leftover.type) {
    case "voted":
    case "transaction":
      return undo(context, workers, leftover.id);
    case "unreadable":
      return releaseUnreadable(context, leftover);
    case "snapshot":
      return removeStray(context, workers, leftover);
    case "awaited":
      return Promise.resolve([]);
    case "unseen":
      return Promise.resolve([{ actor: leftover.provider, op: "list", error: leftover.error }]);
    case "unrecorded":
      return adopt(context, leftover);
    case "exposure":
      return removeStrayExposure(context, workers, leftover.id);
    case "restore":
      return undoUnfinishedRestore(context, workers, leftover.id);
    case "expired":
      return removeExpired(context, workers, leftover.id);
  }
}

/** Volumes first, then writers: what is held or frozen must continue before any slow work is done. */
async function undo(context: EngineContext, workers: PluginWorkers, id: string): Promise<Residue[]> {
  const { catalog, exposures, journals } = context.store;
  const journal = await journals.open(id).catch((error: unknown) => toFault(error));
  if ("code" in journal) return [{ actor: id, op: "recover", error: journal }];
  try {
    // Read under the lock: the process that was working on it may have ended meanwhile.
    const account = journals.read(id);
    if (account === null) return [];
    if ("findings" in account) return await releaseUnreadable(context, account);
    const residue = await release(context, id);
    const settlement = isVoted(account) ? await settle(context, account) : null;
    if (settlement?.type === "kept") {
      await journal.write({ entry: "ended", outcome: "created", residue: [] });
      await settlement.done();
      return residue;
    }
    if (settlement?.type === "in-doubt") return [...residue, { actor: id, op: "recover", error: settlement.fault }];
    const byRole = account.owed.toSorted((a, b) => rank(a.enlisted.who.role) - rank(b.enlisted.who.role));
    for (const owed of byRole) {
      try {
        await abort(context, workers, account, owed);
      } catch (error) {
        residue.push({ actor: owed.enlisted.who.instance, op: "abort", error: toFault(error) });
      }
    }
    const isCreated = catalog.has(id);
    if (!isCreated && residue.length === 0) {
      await exposures.removeAllOf(id);
      await catalog.remove(id);
    }
    const left = residue.map(({ actor, error }) => ({ actor, fault: error }));
    await journal.write({ entry: "ended", outcome: isCreated ? "created" : "aborted", residue: left });
    if (residue.length === 0) await settlement?.done();
    return residue;
  } finally {
    journal.close();
  }
}

/** What a dead process holds is known without its journal. All else needs the journal. */
async function releaseUnreadable(context: EngineContext, journal: UnreadableJournal): Promise<Residue[]> {
  const left = await release(context, journal.id);
  return [...left, { actor: journal.id, op: "recover", error: toFault(unreadableJournal(journal)) }];
}

async function release({ settings }: EngineContext, id: string): Promise<Residue[]> {
  try {
    await releaseAbandoned(id, settings.limits.abort);
    return [];
  } catch (error) {
    return [{ actor: "keeper", op: "release", error: toFault(error) }];
  }
}

async function abort(
  { store, settings }: EngineContext,
  workers: PluginWorkers,
  account: JournalAccount,
  { enlisted, token }: JournalAccount["owed"][number],
): Promise<void> {
  const { instance } = enlisted.who;
  const tx = { id: account.id, cut: enlisted.cut ?? account.begun.cut };
  const session = await workers.session(instance);
  if (isProvider(session)) return session.call("abort", [tx], settings.limits.abort);
  if (!isWriter(session)) return;
  const sidecarDir = store.sidecars.folder(account.id, instance);
  await workers.compensate(instance, token, settings.limits.abort);
  await session.call(
    "abort",
    [{ ...tx, components: enlisted.components ?? [], sidecarDir }, token],
    settings.limits.abort,
  );
}

async function removeStray(
  context: EngineContext,
  workers: PluginWorkers,
  { provider, snapshot }: Extract<Leftover, { type: "snapshot" }>,
): Promise<Residue[]> {
  try {
    const session = await workers.session(provider);
    if (isProvider(session)) await session.call("remove", [snapshot], context.settings.limits.seal);
    await context.store.tombstones.settle(snapshot.setId, provider, snapshot.id);
    return [];
  } catch (error) {
    return [{ actor: provider, op: "remove", error: toFault(error) }];
  }
}

/** Whether a transaction has no clean end. One that wrote its set's record has ended. */
function isOpen({ store: { catalog } }: EngineContext, { id, ended, owed }: JournalAccount): boolean {
  const isClean = ended !== null && ended.residue.length === 0;
  return (!isClean && (owed.length > 0 || !catalog.has(id))) || abandonedHolds(id) !== null;
}

const rank = (role: "writer" | "provider"): number => (role === "writer" ? 0 : 1);
