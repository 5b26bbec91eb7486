import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { CgroupFault } from "./errors.js";
import type { Options } from "./options.js";

/** A control group of version 2. */
export interface Cgroup {
  /** As /proc/PID/cgroup names it. */
  readonly name: string;
  /** Its folder. */
  readonly dir: string;
}

/** The control group that the options name. Throws CgroupFault where there is none, or one that must not be frozen. */
export function locate({ unit, cgroup }: Options): Cgroup {
  const root = mountPoint();
  const name = cgroup === undefined ? unitGroup(root, unit ?? "") : path.posix.normalize(cgroup).replace(/\/$/, "");
  const dir = path.join(root, name);
  if (!existsSync(path.join(dir, "cgroup.freeze"))) {
    const hint = "Correct the option; /proc/PID/cgroup names the group of a process. The root cannot be frozen.";
    throw new CgroupFault("CGROUP_MISSING", `there is no control group ${name} in ${root} that can be frozen`, hint);
  }
  refuseOurs(name);
  return { name, dir };
}

/** Where version 2 of the control groups is mounted: on its own, or beside version 1. */
function mountPoint(): string {
  for (const line of readFileSync("/proc/self/mountinfo", "utf8").split("\n")) {
    const [fields = "", kind = ""] = line.split(" - ");
    // man 5 proc: the fifth field is the mount point, with blanks as \040.
    if (kind.startsWith("cgroup2 ")) return (fields.split(" ")[4] ?? "").replaceAll(String.raw`\040`, " ");
  }
  const hint =
    "Boot with systemd.unified_cgroup_hierarchy=1, or mount it: mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified";
  throw new CgroupFault("CGROUP_V2_MISSING", "control groups of version 2 are not mounted", hint);
}

/**
 * The group of a unit of the system's manager: systemd calls the folder like the unit, somewhere below nested slices. Units of a
 * user's manager, below user@UID.service, may have the same names and are not meant.
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
    const hint = `See whether it runs (systemctl status ${unit}): a unit without processes has no control group.`;
    throw new CgroupFault("CGROUP_MISSING", `no control group belongs to ${unit}`, hint);
  }
  if (found.length > 1) {
    const hint = "Name the one that is meant with the option cgroup.";
    throw new CgroupFault("CGROUP_AMBIGUOUS", `${found.join(" and ")} are both called ${unit}`, hint);
  }
  return first;
}

/** Whoever freezes the group that it is in can never thaw it. */
function refuseOurs(name: string): void {
  const own = /^0::(.*)$/m.exec(readFileSync("/proc/self/cgroup", "utf8"))?.[1] ?? "/";
  if (own !== name && !own.startsWith(`${name}/`)) return;
  const hint = "Run holdstill outside of it: in a service or a scope of its own, say systemd-run --scope holdstill ….";
  throw new CgroupFault("CGROUP_OURS", `holdstill itself runs in ${name} (${own})`, hint);
}
