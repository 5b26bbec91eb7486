/** The matrix of what a machine has without device-mapper: provider-reflink, provider-btrfs, and provider-rbd on real file systems. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { clusterFor } from "../support/ceph/cluster.js";
import { rbdVolume } from "../support/ceph/image-volume.js";
import { FUSE } from "../support/ceph/provider.js";
import { topOf } from "../support/storage/btrfs.js";
import { onEnd } from "../support/process/on-end.js";
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

/** A subvolume that is mounted by its path, as `/home` often is, with the top of its file system mounted elsewhere. */
const onSubvolume: Storage = {
  name: "provider-btrfs",
  cut: "atomic",
  reverts: "reverts",
  lay(t) {
    const top = topOf(t, "top", 700 * MiB);
    if (top === null) return undefined;
    const [dir, mount] = [path.dirname(top), path.join(path.dirname(top), "mounted")];
    chmodSync(dir, 0o755);
    execFileSync("btrfs", ["-q", "subvolume", "create", path.join(top, "@data")]);
    mkdirSync(mount);
    const source = execFileSync("findmnt", ["-no", "SOURCE", "--mountpoint", top], { encoding: "utf8" }).trim();
    const unmount = (): void => void execFileSync("umount", [mount]);
    const remount = (): void => void execFileSync("mount", ["-o", "subvol=@data", source, mount]);
    remount();
    onEnd(t, unmount);
    return {
      mount,
      plugins: [{ use: "provider-btrfs" }],
      state: () => ({ mounts: mountsIn(dir), subvolumes: subvolumesIn(top), names: readdirSync(top) }),
      unmount,
      remount,
    };
  },
};

/** An image of a Ceph cluster of one node. */
const onImage: Storage = {
  name: "provider-rbd",
  cut: "atomic",
  reverts: "reverts",
  lay(t) {
    const cluster = clusterFor(t);
    if (cluster === null) return undefined;
    const { image, mount, unmount, remount } = rbdVolume(t, cluster, "data", { megabytes: 700 });
    return {
      mount,
      plugins: [{ use: "provider-rbd", options: { conf: cluster.conf, fuse: FUSE } }],
      state: () => ({
        mounts: mountsIn(path.dirname(mount)),
        images: cluster.images(),
        snapshots: cluster.snapshots(image),
      }),
      unmount,
      remount,
    };
  },
};

/** By their paths: a revert puts another one in the place of the original. */
const subvolumesIn = (top: string): string[] =>
  execFileSync("btrfs", ["subvolume", "list", top], { encoding: "utf8" })
    .split("\n")
    .map((line) => line.replace(/^.* path /, ""));

/** Other tests have mounts of their own. */
function mountsIn(folder: string): string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .flatMap((line) => line.split(" ")[4] ?? [])
    .filter((point) => point.startsWith(folder))
    .toSorted();
}

matrix([reflinkOn("ext4"), reflinkOn("xfs"), reflinkOn("btrfs"), onSubvolume, onImage]);
