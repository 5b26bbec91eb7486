import { HoldstillError } from "../../base/errors/error.js";
import { abandonedHolds } from "../hold-register.js";
import { KeeperProcess, rescueCommand } from "./spawn.js";
import { within } from "./deferred.js";
import { targetName } from "../section.js";

/**
 * Releases what a keeper of that name still holds although it and its watchdog are dead. A file system that another process has frozen
 * is not touched.
 *
 * @throws HoldstillError E_KEEPER when something stays held
 */
export async function releaseAbandoned(name: string, limitMs: number): Promise<void> {
  const abandoned = abandonedHolds(name);
  if (abandoned === null) return;
  const { file, targets } = abandoned;
  const names = targets.map(targetName).join(", ");
  const ended = new Promise<string>((resolve) => {
    void new KeeperProcess(rescueCommand(file), targets.length, ignore, resolve);
  });
  const late = (): HoldstillError => new HoldstillError("E_KEEPER", { reason: `${names} was not released in time` });
  const reason = await within(limitMs, ended, late);
  if (abandonedHolds(name) !== null) throw new HoldstillError("E_KEEPER", { reason: `${names} stays held: ${reason}` });
}

/** The register shows the result. */
const ignore = (): void => undefined;
