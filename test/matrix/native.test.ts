/** The matrix of what a machine has without device-mapper: provider-reflink on real file systems. */
import { chmodSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { loopFs } from "../support/storage/loop-device.js";
import { matrix } from "./matrix.js";
import type { Storage } from "./storage.js";

const MiB = 1024 * 1024;

function reflinkOn(kind: "ext4" | "xfs" | "btrfs"): Storage {
  return {
    name: `provider-reflink on ${kind}`,
    cut: "fuzzy",
    reverts: "cannot revert",
    lay(t) {
      const mount = loopFs(t, kind, kind, 700 * MiB);
      if (mount === null) return undefined;
      // The servers are other users.
      chmodSync(path.dirname(mount), 0o755);
      return {
        mount,
        plugins: [],
        state: () => ({ mounts: mountsIn(mount), names: readdirSync(mount).filter((name) => name !== ".holdstill") }),
        unmount: () => {},
        remount: () => {},
      };
    },
  };
}

/** Other tests have mounts of their own. */
function mountsIn(folder: string): string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .flatMap((line) => line.split(" ")[4] ?? [])
    .filter((point) => point.startsWith(folder))
    .toSorted();
}

matrix([reflinkOn("ext4"), reflinkOn("xfs"), reflinkOn("btrfs")]);
