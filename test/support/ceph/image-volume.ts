/** A file system on an RBD image that rbd-fuse shows: this needs no kernel module. */
import { chmodSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import path from "node:path";
import type { TestContext } from "node:test";
import { atExit } from "../process/at-exit.js";
import { onEnd } from "../process/on-end.js";
import { tempDir } from "../storage/temp.js";
import { type Cluster, pause, POOL, run } from "./cluster.js";

export interface RbdVolume {
  readonly image: string;
  /** Where the file system is mounted. */
  readonly mount: string;
  /** Unmounts it, and unmaps the image. */
  readonly unmount: () => void;
  readonly remount: () => void;
}

export interface RbdVolumeOptions {
  readonly pool?: string;
  readonly fsType?: "ext4" | "xfs";
  readonly megabytes?: number;
  readonly features?: string;
}

const recipes = { ext4: ["mkfs.ext4", "-q", "-F", "-E", "nodiscard"], xfs: ["mkfs.xfs", "-q", "-K"] };

/** Until the test ends; the image is then removed. */
export function rbdVolume(t: TestContext, cluster: Cluster, image: string, options: RbdVolumeOptions = {}): RbdVolume {
  const { pool = POOL, fsType = "ext4", megabytes = fsType === "xfs" ? 320 : 96, features } = options;
  const dir = tempDir(t);
  const [shown, mount] = [path.join(dir, "fuse"), path.join(dir, "mounted")];
  for (const folder of [shown, mount]) mkdirSync(folder);
  // Servers are other users.
  chmodSync(dir, 0o755);
  const feature = features === undefined ? [] : ["--image-feature", features];
  cluster.rbd("create", "--pool", pool, "--image", image, "--size", `${megabytes}M`, ...feature);
  onEnd(t, () => removeImage(cluster, pool, image));
  let fuse: ChildProcess | null = null;
  let loop: string | null = null;
  const map = (): string => {
    fuse = spawn("rbd-fuse", ["-f", "-c", cluster.conf, "-p", pool, "-r", image, shown], {
      stdio: "ignore",
      env: { ...process.env, CEPH_ARGS: "" },
    });
    fuse.unref();
    const file = path.join(shown, image);
    for (let tries = 0; !existsSync(file); tries += 1) {
      if (tries === 200) throw new Error(`rbd-fuse does not show ${image}`);
      pause(50);
    }
    loop = run("losetup", "--find", "--show", file).trim();
    return loop;
  };
  const unmount = (): void => {
    if (isMounted(mount)) run("umount", mount);
    if (loop !== null) run("losetup", "--detach", loop);
    loop = null;
    if (isMounted(shown)) umountPatiently(shown);
    waitUntilClosed(cluster, pool, image);
  };
  // A rbd-fuse whose cluster is gone hangs, and with it every program that looks at its mounts.
  const callOff = atExit(() => {
    spawnSync("umount", ["-l", mount]);
    spawnSync("losetup", ["--detach", loop ?? ""]);
    fuse?.kill("SIGKILL");
    spawnSync("umount", ["-l", shown]);
  });
  onEnd(t, callOff);
  onEnd(t, unmount);
  const [mkfs = "", ...args] = recipes[fsType];
  run(mkfs, ...args, map());
  const remount = (): void => void run("mount", loop ?? map(), mount);
  remount();
  return { image, mount, unmount, remount };
}

function isMounted(point: string): boolean {
  return readFileSync("/proc/self/mountinfo", "utf8").includes(` ${point} `);
}

/** The kernel lets go of a loop device a moment after its end. */
function umountPatiently(point: string): void {
  for (let tries = 1; ; tries += 1) {
    const { status, stderr } = spawnSync("umount", [point], { encoding: "utf8" });
    if (status === 0) return;
    if (tries === 100) throw new Error(stderr);
    pause(100);
  }
}

/** rbd-fuse lets go of the image a moment after it was unmounted. */
function waitUntilClosed(cluster: Cluster, pool: string, image: string): void {
  for (let tries = 1; ; tries += 1) {
    const status = cluster.rbd("status", "--format", "json", "--pool", pool, "--image", image);
    if ((JSON.parse(status) as { watchers: unknown[] }).watchers.length === 0) return;
    if (tries === 200) throw new Error(`${image} is still open: ${status}`);
    pause(100);
  }
}

function removeImage(cluster: Cluster, pool: string, image: string): void {
  cluster.rbd("snap", "purge", "--no-progress", "--pool", pool, "--image", image);
  cluster.rbd("rm", "--no-progress", "--pool", pool, "--image", image);
}

/** Makes images the members of a group, until the test ends. */
export function groupOf(t: TestContext, cluster: Cluster, group: string, images: readonly string[]): void {
  cluster.rbd("group", "create", `${POOL}/${group}`);
  onEnd(t, () => cluster.rbd("group", "rm", `${POOL}/${group}`));
  for (const image of images) cluster.rbd("group", "image", "add", `${POOL}/${group}`, `${POOL}/${image}`);
}
