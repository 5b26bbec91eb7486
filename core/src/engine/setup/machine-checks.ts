import { existsSync, readdirSync } from "node:fs";
import { release } from "node:os";
import path from "node:path";
import type { DoctorCheck } from "../../base/schema/types.js";
import { preloadLibc } from "../../os/libc.js";
import { canMount } from "../../os/exec/mount-tree.js";
import { installedProgram } from "../../os/path/programs.js";
import { fault, good } from "./check.js";

export function system(): DoctorCheck[] {
  const [major = 0, minor = 0] = release().split(".").map(Number);
  const found = `Linux ${release()}, Node ${process.version.slice(1)}, ${process.arch}`;
  if (major > 6 || (major === 6 && minor >= 8)) return [good("system", found)];
  const means =
    "before Linux 6.8 a freeze cannot be nested: another program's lvcreate fails while a file system is frozen";
  return [{ about: "system", state: "note", found, means }];
}

/** Without the library for the kernel's calls, nothing else can be examined. null: it is there. */
export function missingLibrary(): DoctorCheck | null {
  try {
    preloadLibc();
    return null;
  } catch (error) {
    return fault("system", error);
  }
}

export function rights(): DoctorCheck[] {
  const user: DoctorCheck =
    process.geteuid?.() === 0
      ? good("rights", "root")
      : {
          about: "rights",
          state: "note",
          found: "an ordinary user",
          means: "volumes cannot be held, and only files that this user can read are captured",
          remedy: "sudo holdstill doctor",
        };
  const means =
    "the command of `run` reads the snapshots where the provider exposes them, at different paths each time";
  return canMount() ? [user] : [user, { about: "rights", state: "note", found: "mounting is not permitted", means }];
}

/** The programs that holdstill itself runs, with their packages. The programs of plugins are checked with the plugins. */
const programs = { unshare: "util-linux", setpriv: "util-linux", mount: "mount", cp: "coreutils" } as const;

export function tools(): DoctorCheck[] {
  const missing = Object.entries(programs).filter(([command]) => installedProgram(command) === null);
  if (missing.length === 0) return [good("tools", Object.keys(programs).join(", "))];
  return missing.map(([command, name]) => ({
    about: "tools",
    state: "bad",
    found: `${command} is missing`,
    means: "`run` and `restore` cannot work",
    remedy: `apt-get install ${name}`,
  }));
}

/** The rules of udev that keep snapshots out of /dev/disk/by-uuid, if udev and device-mapper are in use here. */
export function udev(): DoctorCheck[] {
  const hasMapper = readdirSync("/sys/class/block").some((name) => name.startsWith("dm-"));
  if (!existsSync("/run/udev/control") || !hasMapper) return [];
  // The number says after which rules it comes: udev's own of device-mapper have two numberings.
  const isDebian = ruleFolders.some((folder) => existsSync(path.join(folder, "55-dm.rules")));
  const name = `${isDebian ? 58 : 12}-holdstill.rules`;
  const there = ruleFolders.find((folder) => existsSync(path.join(folder, name)));
  if (there !== undefined) return [good("system", path.join(there, name))];
  const means = "while a snapshot is exposed, /dev/disk/by-uuid may point to it instead of to the original";
  const remedy = `Copy packaging/udev/${name} of holdstill to /etc/udev/rules.d, and run: udevadm control --reload`;
  return [{ about: "system", state: "note", found: `udev has no ${name}`, means, remedy }];
}

/** Of udev(7). */
const ruleFolders = ["/etc/udev/rules.d", "/run/udev/rules.d", "/usr/lib/udev/rules.d", "/lib/udev/rules.d"];
