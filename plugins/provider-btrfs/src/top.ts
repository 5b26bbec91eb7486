import { closeSync, constants, fstatSync, mkdirSync, openSync, readdirSync, rmdirSync } from "node:fs";
import path from "node:path";
import type { Context, Transaction } from "holdstill/plugin";
import { mount, readMounts } from "#kit/mounts.js";
import { PluginError } from "./errors.js";
import { type FileSystem, topsOf } from "./file-system.js";

/** Inode number of the root of every subvolume (BTRFS_FIRST_FREE_OBJECTID, linux/btrfs_tree.h). */
export const SUBVOLUME_ROOT = 256n;

/** How often a mount is made anew that another worker ended between two calls of this one. */
const TRIES = 20;

/**
 * The top of a file system (subvolume 5), mounted for this plugin alone: every subvolume has a path in it, whatever is mounted
 * elsewhere, and nothing is mounted over a part of it. No link is followed in it (`nosymfollow`).
 *
 * All workers share the mount. Each has it open meanwhile, so that the kernel refuses to unmount it; the last one to close it
 * unmounts it. What a killed worker has left is used, and unmounted, by the next one. A transaction has a mount of its own, in which
 * the keeper opens what it needs: that is detached while the keeper still has it open.
 */
export class Top {
  readonly fs: FileSystem;
  readonly path: string;
  readonly #fd: number;

  private constructor(fs: FileSystem, point: string, fd: number) {
    this.fs = fs;
    this.path = point;
    this.#fd = fd;
  }

  /** @throws PluginError MOUNT */
  static async open(fs: FileSystem, ctx: Pick<Context, "dataDir" | "exec">, tx?: Transaction): Promise<Top> {
    const point = path.join(topsOf(ctx), tx === undefined ? fs.uuid : `${fs.uuid}.${tx.id}`);
    for (let tried = 1; ; tried += 1) {
      mkdirSync(point, { recursive: true, mode: 0o700 });
      if (!isMounted(point)) await mountTop(fs, point, ctx).catch((error: unknown) => retry(error, tried));
      const fd = openRoot(point);
      if (fd !== null) return new Top(fs, point, fd);
      if (tried >= TRIES) throw new PluginError("MOUNT", `${point} does not stay mounted.`, `findmnt ${point}`);
    }
  }

  /** The path of what is at `inner` from the top of the file system. */
  at(...inner: readonly string[]): string {
    return path.join(this.path, ...inner);
  }

  async close(ctx: Pick<Context, "exec">): Promise<void> {
    this.release();
    await unmountTop(this.path, [], ctx);
  }

  /** This worker does not use it any more. */
  release(): void {
    closeSync(this.#fd);
  }
}

/** Opens the top for as long as `work` takes. */
export async function withTop<T>(
  fs: FileSystem,
  ctx: Pick<Context, "dataDir" | "exec">,
  work: (top: Top) => Promise<T>,
): Promise<T> {
  const top = await Top.open(fs, ctx);
  try {
    return await work(top);
  } finally {
    await top.close(ctx);
  }
}

/** Unmounts what killed workers have left. */
export async function sweepTops(ctx: Pick<Context, "dataDir" | "exec">): Promise<void> {
  for (const point of pointsIn(topsOf(ctx))) await unmountTop(point, [], ctx);
}

/** Detaches the mounts of a transaction: the kernel ends them when the keeper has closed what it opened there (umount2(2), MNT_DETACH). */
export async function detachTops({ id }: Transaction, ctx: Pick<Context, "dataDir" | "exec">): Promise<void> {
  const own = pointsIn(topsOf(ctx)).filter((point) => point.endsWith(`.${id}`));
  for (const point of own) await unmountTop(point, ["--lazy"], ctx);
}

async function mountTop(fs: FileSystem, point: string, ctx: Pick<Context, "exec">): Promise<void> {
  const access = fs.access === "read-only" ? "ro" : "rw";
  const options = ["subvolid=5", access, "noatime", "nosymfollow"];
  await mount(fs.source, point, { fsType: "btrfs", options }, ctx);
}

/** Another worker may have removed the mount point. */
function retry(error: unknown, tried: number): void {
  if (tried >= TRIES) throw error;
}

/** The descriptor of the mounted top; null: another worker unmounted it. */
function openRoot(point: string): number | null {
  let fd: number;
  try {
    fd = openSync(point, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch {
    return null;
  }
  if (fstatSync(fd, { bigint: true }).ino === SUBVOLUME_ROOT) return fd;
  closeSync(fd);
  return null;
}

const isMounted = (point: string): boolean => readMounts().some((mounted) => mounted.point === point);

/** Two workers may each have mounted it. While another one uses it, it stays. */
async function unmountTop(point: string, options: readonly string[], ctx: Pick<Context, "exec">): Promise<void> {
  while (isMounted(point)) {
    const { exitCode } = await ctx.exec("umount", [...options, "--", point]);
    if (exitCode !== 0) return;
  }
  for (const folder of [point, path.dirname(point)]) removeIfEmpty(folder);
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Another worker uses it.
  }
}

function pointsIn(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => path.join(folder, name));
  } catch {
    return [];
  }
}
