import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { readMounts } from "#kit/mounts.js";
import { PluginError } from "./errors.js";
import type { Options } from "./options.js";

/** A control group of version 2. */
export interface Cgroup {
  /** As /proc/PID/cgroup names it. */
  readonly name: string;
  /** Its folder. */
  readonly dir: string;
}

/** The control group that the options name. @throws PluginError if it does not exist, or must not be frozen. */
export function locate({ unit, cgroup }: Options): Cgroup {
  const root = mountPoint();
  const name = cgroup === undefined ? unitGroup(root, unit ?? "") : normalized(cgroup);
  const dir = path.join(root, name);
  if (!existsSync(path.join(dir, "cgroup.freeze"))) {
    const hint = "Correct the option; /proc/PID/cgroup names the group of a process. The root cannot be frozen.";
    throw new PluginError("CGROUP_MISSING", `there is no control group ${name} in ${root} that can be frozen`, hint);
  }
  refuseOurs(name);
  return { name, dir };
}

/** A group's name as the kernel writes it. */
export const normalized = (cgroup: string): string => path.posix.normalize(cgroup).replace(/\/$/, "");

/** Where version 2 of the control groups is mounted: alone, or beside version 1. */
export function mountPoint(): string {
  const mounted = readMounts().find(({ fsType }) => fsType === "cgroup2");
  if (mounted !== undefined) return mounted.point;
  const hint =
    "Boot with systemd.unified_cgroup_hierarchy=1, or mount it: mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified";
  throw new PluginError("CGROUP_V2_MISSING", "control groups of version 2 are not mounted", hint);
}

/**
 * The group of a unit of the system's manager: the folder has the name of the unit, somewhere below nested slices. Units of a
 * user's manager, below user@UID.service, may have the same names and do not count.
 */
function unitGroup(root: string, unit: string): string {
  const found: string[] = [];
  const search = (name: string): void => {
    for (const entry of readdirSync(path.join(root, name), { withFileTypes: true })) {
      const inner = `${name}/${entry.name}`;
      if (!entry.isDirectory()) continue;
      if (entry.name === unit) found.push(inner);
      else if (entry.name.endsWith(".slice")) search(inner);
    }
  };
  search("");
  const [first] = found;
  if (first === undefined) {
    const hint = `Check that it is running (systemctl status ${unit}): a unit without processes has no control group.`;
    throw new PluginError("CGROUP_MISSING", `no control group belongs to ${unit}`, hint);
  }
  if (found.length > 1) {
    const hint = "Name the right one with the option cgroup.";
    throw new PluginError("CGROUP_AMBIGUOUS", `${found.join(" and ")} both have the name ${unit}`, hint);
  }
  return first;
}

/** A process that freezes its own group can never thaw it. */
function refuseOurs(name: string): void {
  const own = /^0::(.*)$/m.exec(readFileSync("/proc/self/cgroup", "utf8"))?.[1] ?? "/";
  if (own !== name && !own.startsWith(`${name}/`)) return;
  const hint =
    "Run holdstill outside of it: in a separate service or scope, for example systemd-run --scope holdstill ….";
  throw new PluginError("CGROUP_OURS", `holdstill itself runs in ${name} (${own})`, hint);
}
