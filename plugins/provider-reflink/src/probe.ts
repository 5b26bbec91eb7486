import { closeSync, constants, openSync, statSync, writeSync } from "node:fs";
import { getuid } from "node:process";
import type { Context } from "holdstill/plugin";
import { sharedProcessId } from "#kit/process-id.js";

/**
 * O_TMPFILE with its O_DIRECTORY (asm-generic/fcntl.h), which node:fs does not name: a file without a name, see open(2).
 * The kernel removes it however the process ends.
 */
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;

/** More than btrfs puts inline into its metadata, bytes: a clone of this much shares an extent. */
const PROBE = 64 * 1024;

/** By source and target: `match` and `prepare` of a transaction ask the same. */
const tried = new Map<string, Promise<boolean>>();

/** As `tryClone`, which is asked once in a worker. */
export function canClone(source: string, target: string, ctx: Context): Promise<boolean> {
  const key = JSON.stringify([source, target]);
  const known = tried.get(key);
  if (known !== undefined) return known;
  const answer = tryClone(source, target, ctx);
  tried.set(key, answer);
  answer.catch(() => tried.delete(key));
  return answer;
}

/**
 * Tries whether files below `source` can be cloned into `target` (FICLONE, ioctl_ficlonerange(2)), by cloning an unnamed file.
 * If `source` is not writable but both are on one device, a clone inside `target` proves the same.
 */
async function tryClone(source: string, target: string, ctx: Context): Promise<boolean> {
  const from = openUnnamed(source) ?? (sameDevice(source, target) ? openUnnamed(target) : undefined);
  const to = openUnnamed(target);
  try {
    if (from === undefined || to === undefined) return false;
    writeSync(from, Buffer.alloc(PROBE, 1));
    const { exitCode } = await ctx.exec("cp", ["--reflink=always", "--", nameOf(from), nameOf(to)]);
    return exitCode === 0;
  } finally {
    for (const fd of [from, to]) if (fd !== undefined) closeSync(fd);
  }
}

/** Root may read and write everything, make device nodes, and change owners. */
export function isRoot(): boolean {
  return getuid?.() === 0;
}

export function sameDevice(one: string, other: string): boolean {
  return statSync(one).dev === statSync(other).dev;
}

function openUnnamed(dir: string): number | undefined {
  try {
    return openSync(dir, O_TMPFILE | constants.O_RDWR, 0o600);
  } catch {
    // Not writable, or a file system without unnamed files: no clone either way.
    return undefined;
  }
}

function nameOf(fd: number): string {
  return `/proc/${sharedProcessId()}/fd/${fd}`;
}
