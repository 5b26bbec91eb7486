import { toFault } from "../../base/errors/error.js";
import { isProvider, isWriter } from "../../host/isolation/session.js";
import type { Residue } from "../../base/schema/types.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import { releaseAbandoned } from "../../keeper/client/release-abandoned.js";
import { abandonedHolds } from "../../keeper/hold-register.js";
import { targetName } from "../../keeper/section.js";
import type { JournalAccount } from "../../store/journal.js";
import { expiredSets, forgetExpired, removeExpired } from "../lease/expired-sets.js";
import { removeStrayExposure, strayExposures } from "./stray-exposures.js";
import type { EngineContext, Leftover, ProviderStatus } from "../types.js";

/**
 * What is left of transactions that died or could not undo everything, and snapshots of this host's transactions that no record names.
 * Changes nothing. A snapshot of a set that was never made here belongs to another host, and is not listed.
 *
 * @param providers What the providers list.
 */
export function findLeftovers(context: EngineContext, providers: readonly ProviderStatus[]): Leftover[] {
  const { catalog, journals } = context.store;
  const all = journals.read().filter(({ id }) => !journals.isHeld(id));
  const open = all.filter((account) => isOpen(context, account));
  const closed = new Set(all.filter((account) => !open.includes(account)).map((account) => account.id));
  const stray = providers.flatMap((provider): Leftover[] =>
    ("snapshots" in provider ? provider.snapshots : [])
      .filter(({ setId }) => closed.has(setId) && !catalog.has(setId))
      .map((snapshot) => ({ type: "snapshot", provider: provider.who.instance, snapshot })),
  );
  return [
    ...open.map(({ id, begun, owed }): Leftover => ({
      type: "transaction",
      id,
      begunAt: begun.at,
      owed: owed.map(({ enlisted }) => ({ who: enlisted.who })),
      held: abandonedHolds(id)?.targets.map(targetName) ?? [],
    })),
    ...stray,
    ...strayExposures(context).map(({ id }): Leftover => ({ type: "exposure", id })),
    ...expiredSets(context).flatMap(({ id, createdAt, lease }): Leftover[] =>
      lease === undefined ? [] : [{ type: "expired", id, createdAt, lease }],
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
    case "transaction":
      return undo(context, workers, leftover.id);
    case "snapshot":
      return removeStray(context, workers, leftover);
    case "exposure":
      return removeStrayExposure(context, workers, leftover.id);
    case "expired":
      return removeExpired(context, workers, leftover.id);
  }
}

/** Volumes first, then writers: what is held or frozen must continue before any slow work is done. */
async function undo(context: EngineContext, workers: PluginWorkers, id: string): Promise<Residue[]> {
  const { catalog, journals } = context.store;
  const journal = await journals.open(id).catch((error: unknown) => toFault(error));
  if ("code" in journal) return [{ actor: id, op: "recover", error: journal }];
  try {
    // Read under the lock: the process that was working on it may have ended meanwhile.
    const account = journals.read().find((one) => one.id === id);
    if (account === undefined) return [];
    const residue: Residue[] = [];
    await releaseAbandoned(id, context.settings.limits.abort).catch((error: unknown) =>
      residue.push({ actor: "keeper", op: "release", error: toFault(error) }),
    );
    const byRole = account.owed.toSorted((a, b) => rank(a.enlisted.who.role) - rank(b.enlisted.who.role));
    for (const owed of byRole) {
      try {
        await abort(context, workers, account, owed);
      } catch (error) {
        residue.push({ actor: owed.enlisted.who.instance, op: "abort", error: toFault(error) });
      }
    }
    const isCreated = catalog.has(id);
    if (!isCreated && residue.length === 0) await catalog.remove(id);
    const left = residue.map(({ actor, error }) => ({ actor, fault: error }));
    await journal.write({ entry: "ended", outcome: isCreated ? "created" : "aborted", residue: left });
    return residue;
  } finally {
    journal.close();
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
