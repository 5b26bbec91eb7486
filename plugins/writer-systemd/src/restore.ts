import path from "node:path";
import { existsSync } from "node:fs";
import type { SnapshotSet } from "holdstill/plugin";
import { PluginError } from "./errors.js";
import { eventsOf } from "./freezer.js";
import { mountPoint, normalized } from "./locate.js";
import type { Options } from "./options.js";

/**
 * The application is down if the groups that were captured are empty, or are gone, as that of a unit that was stopped.
 *
 * @throws PluginError CGROUP_RUNNING; CGROUP_SET if the set has nothing of this writer.
 */
export function refuseRunning({ components }: SnapshotSet, options: Options): void {
  const named = components.flatMap(({ component }) => component.facts?.["cgroup"] ?? []);
  const groups = named.filter((one): one is string => typeof one === "string" && isOurs(one, options));
  if (groups.length === 0) {
    const hint = "Correct the option to what it was when the set was taken, or restore with --to.";
    throw new PluginError("CGROUP_SET", `the set has nothing of ${options.unit ?? options.cgroup}`, hint);
  }
  const root = mountPoint();
  for (const name of groups) {
    const dir = path.join(root, name);
    if (!existsSync(dir) || !eventsOf({ name, dir }).populated) continue;
    const hint = "Stop the application, for example with systemctl stop, then restore.";
    throw new PluginError("CGROUP_RUNNING", `the application runs: ${name} has processes`, hint);
  }
}

function isOurs(group: string, { unit, cgroup = "" }: Options): boolean {
  return unit === undefined ? group === normalized(cgroup) : path.basename(group) === unit;
}
