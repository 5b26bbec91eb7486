import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import { holdersOf } from "./mount-holders.js";
import { onEnd } from "../process/on-end.js";
import { tempDir } from "./temp.js";

type Kind = "ext4" | "xfs" | "btrfs";

/** How each is made, quietly; XFS needs 300 MB at least (xfsprogs 5.19). */
const recipes: Record<Kind, string[]> = {
  ext4: ["mkfs.ext4", "-q", "-F"],
  xfs: ["mkfs.xfs", "-q", "-m", "reflink=1"],
  btrfs: ["mkfs.btrfs", "-q"],
};
const SIZE = 320 * 1024 * 1024;

/**
 * A real file system on a loop device, unmounted when the test ends, also when it fails. null where this machine cannot: the
 * test is skipped then, with the reason; but in CI that is a failure.
 */
export function loopFs(t: TestContext, kind: Kind, name: string = kind, bytes = SIZE): string | null {
  const obstacle = obstacleTo(kind);
  if (obstacle !== undefined) {
    if (process.env["CI"] === "true") throw new Error(`${obstacle}; run npm run test:setup`);
    t.skip(obstacle);
    return null;
  }
  const dir = tempDir(t);
  const image = path.join(dir, "image");
  makeFs(kind, image, bytes);
  return mountImage(t, image, path.join(dir, name)).point;
}

/** Makes a file system in a file. */
export function makeFs(kind: Kind, image: string, bytes: number): void {
  writeFileSync(image, "");
  truncateSync(image, bytes);
  const [mkfs = "", ...args] = recipes[kind];
  execFileSync(mkfs, [...args, image], { stdio: "pipe" });
}

/** Mounts a file system that is in a file, until the test ends or `end` is called. */
export function mountImage(t: TestContext, image: string, point: string): { point: string; end: () => void } {
  mkdirSync(point, { recursive: true });
  // The kernel lets go of the loop device with the last mount: `mount -o loop` sets autoclear.
  execFileSync("mount", ["-o", "loop", image, point]);
  let mounted = true;
  const end = (): void => {
    if (mounted) unmount(point);
    mounted = false;
  };
  onEnd(t, end);
  return { point, end };
}

/** Patient with a process that was killed and still has a file open: a second. */
function unmount(point: string): void {
  for (let tries = 1; ; tries += 1) {
    const { status, stderr } = spawnSync("umount", ["-R", point], { encoding: "utf8" });
    if (status === 0) return;
    if (tries === 20) throw new Error([stderr.trim(), ...holdersOf(point)].join("; "));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  }
}

/** Mounts a folder, or another part of a file system, and unmounts it when the test ends. */
export function mount(t: TestContext, args: string[], point: string): string {
  mkdirSync(point, { recursive: true });
  execFileSync("mount", [...args, point]);
  onEnd(t, () => unmount(point));
  return point;
}

function obstacleTo(kind: Kind): string | undefined {
  if (process.getuid?.() !== 0) return "mounting needs root";
  const tool = recipes[kind][0] ?? "";
  return spawnSync(tool, ["-V"]).error === undefined ? undefined : `${tool} is not installed`;
}
