import { HoldstillError, toFault } from "../../base/errors/error.js";
import { isProvider, isWriter } from "../../host/isolation/session.js";
import type { Residue } from "../../base/schema/types.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import { releaseAbandoned } from "../../keeper/client/release-abandoned.js";
import { abandonedHolds } from "../../keeper/hold-register.js";
import { targetName } from "../../keeper/section.js";
import { type JournalAccount, Journal, readJournals } from "../../store/journal.js";
import { expiredSets, forgetExpired, removeExpired } from "../lease/expired-sets.js";
import { removeStrayExposure, strayExposures } from "./stray-exposures.js";
import type { EngineContext, Leftover, ProviderStatus } from "../types.js";

/**
 * What is left of transactions that died or could not undo everything, and snapshots of transactions of ours that no record
 * names. Looks only. A snapshot of a set that was never made here is somebody else's, and is not listed.
 *
 * @param providers What the providers say exists.
 */
export function findLeftovers(bench: EngineContext, providers: readonly ProviderStatus[]): Leftover[] {
  const all = readJournals(bench.state, (id) => bench.catalog.has(id)).filter(
    ({ id }) => !Journal.isHeld(bench.state, id),
  );
  const open = all.filter((account) => isOpen(bench, account));
  const closed = new Set(all.filter((account) => !open.includes(account)).map((account) => account.id));
  const stray = providers.flatMap((provider): Leftover[] =>
    ("snapshots" in provider ? provider.snapshots : [])
      .filter(({ setId }) => closed.has(setId) && !bench.catalog.has(setId))
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
    ...strayExposures(bench).map(({ id }): Leftover => ({ type: "exposure", id })),
    ...expiredSets(bench).flatMap(({ id, createdAt, lease }): Leftover[] =>
      lease === undefined ? [] : [{ type: "expired", id, createdAt, lease }],
    ),
  ];
}

/** Undoes the leftovers, each as far as it goes. */
export async function recoverAll(
  bench: EngineContext,
  workers: PluginWorkers,
  all: readonly Leftover[],
): Promise<{ done: Leftover[]; residue: Residue[] }> {
  const done: Leftover[] = [];
  const residue: Residue[] = [];
  for (const leftover of all) {
    const left = await clear(bench, workers, leftover);
    residue.push(...left);
    if (left.length === 0) done.push(leftover);
  }
  forgetExpired(bench);
  return { done, residue };
}

function clear(bench: EngineContext, workers: PluginWorkers, leftover: Leftover): Promise<Residue[]> {
  switch (leftover.type) {
    case "transaction":
      return undo(bench, workers, leftover.id);
    case "snapshot":
      return sweep(bench, workers, leftover);
    case "exposure":
      return removeStrayExposure(bench, workers, leftover.id);
    case "expired":
      return removeExpired(bench, workers, leftover.id);
  }
}

/** Volumes first, then writers: what stands still must go on before anything unhurried is done. */
async function undo(bench: EngineContext, workers: PluginWorkers, id: string): Promise<Residue[]> {
  const journal = Journal.open(bench.state, id);
  if (journal === null) {
    return [{ actor: id, op: "recover", error: toFault(new HoldstillError("E_SET_BUSY", { set: id })) }];
  }
  try {
    // Read under the lock: the process that was working on it may have come to an end meanwhile.
    const account = readJournals(bench.state, (one) => bench.catalog.has(one)).find((one) => one.id === id);
    if (account === undefined) return [];
    const residue: Residue[] = [];
    await releaseAbandoned(id, bench.settings.limits.abort).catch((error: unknown) =>
      residue.push({ actor: "keeper", op: "release", error: toFault(error) }),
    );
    const byRole = account.owed.toSorted((a, b) => rank(a.enlisted.who.role) - rank(b.enlisted.who.role));
    for (const owed of byRole) {
      try {
        await abort(bench, workers, account, owed);
      } catch (error) {
        residue.push({ actor: owed.enlisted.who.instance, op: "abort", error: toFault(error) });
      }
    }
    const isCreated = bench.catalog.has(id);
    if (!isCreated && residue.length === 0) bench.catalog.remove(id);
    const left = residue.map(({ actor, error }) => ({ actor, fault: error }));
    journal.write({ entry: "ended", outcome: isCreated ? "created" : "aborted", residue: left });
    return residue;
  } finally {
    journal.close();
  }
}

async function abort(
  { catalog, settings }: EngineContext,
  workers: PluginWorkers,
  account: JournalAccount,
  { enlisted, token }: JournalAccount["owed"][number],
): Promise<void> {
  const { instance } = enlisted.who;
  const tx = { id: account.id, cut: enlisted.cut ?? account.begun.cut };
  const session = await workers.session(instance);
  if (isProvider(session)) return session.call("abort", [tx], settings.limits.abort);
  if (!isWriter(session)) return;
  const sidecarDir = catalog.sidecarDir(account.id, instance);
  await workers.compensate(instance, token, settings.limits.abort);
  await session.call(
    "abort",
    [{ ...tx, components: enlisted.components ?? [], sidecarDir }, token],
    settings.limits.abort,
  );
}

async function sweep(
  bench: EngineContext,
  workers: PluginWorkers,
  { provider, snapshot }: Extract<Leftover, { type: "snapshot" }>,
): Promise<Residue[]> {
  try {
    const session = await workers.session(provider);
    if (isProvider(session)) await session.call("remove", [snapshot], bench.settings.limits.seal);
    return [];
  } catch (error) {
    return [{ actor: provider, op: "remove", error: toFault(error) }];
  }
}

/** A transaction that has no clean end. One that wrote its set's record did come to its end. */
function isOpen({ catalog }: EngineContext, { id, ended, owed }: JournalAccount): boolean {
  const isClean = ended !== null && ended.residue.length === 0;
  return (!isClean && (owed.length > 0 || !catalog.has(id))) || abandonedHolds(id) !== null;
}

const rank = (role: "writer" | "provider"): number => (role === "writer" ? 0 : 1);
