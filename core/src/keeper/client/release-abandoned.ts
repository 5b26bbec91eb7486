import { HoldstillError } from "../../base/errors/error.js";
import { abandonedHolds } from "../hold-register.js";
import { KeeperProcess, wayToRescue } from "./spawn.js";
import { within } from "./deferred.js";
import { targetName } from "../section.js";

/**
 * Releases what a keeper of that name has left held, when nobody is there any more to do so. A file system that somebody else has
 * frozen is not touched.
 *
 * @throws HoldstillError E_KEEPER when something stays held
 */
export async function releaseAbandoned(name: string, limitMs: number): Promise<void> {
  const left = abandonedHolds(name);
  if (left === null) return;
  const names = left.points.map(targetName).join(", ");
  const over = new Promise<string>((resolve) => {
    void new KeeperProcess(wayToRescue(left.file), left.points.length, unheard, resolve);
  });
  const late = (): HoldstillError => new HoldstillError("E_KEEPER", { reason: `${names} did not come free in time` });
  const why = await within(limitMs, over, late);
  if (abandonedHolds(name) !== null) throw new HoldstillError("E_KEEPER", { reason: `${names} stays held: ${why}` });
}

/** What it did is in the ledger. */
const unheard = (): void => undefined;
