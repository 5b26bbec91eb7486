import { accessSync, constants, lstatSync, readdirSync, type Stats } from "node:fs";
import { setImmediate } from "node:timers/promises";
import type { Context } from "holdstill/plugin";
import { codeOf } from "#kit/plugin-error.js";
import { formatBytes } from "#kit/size.js";
import { type BytePath } from "./mounts-below.js";
import { isLeftOut } from "./selection.js";
import { isRoot } from "./probe.js";

/** What was seen below the captured paths before copying. */
export interface Survey {
  /** Without directories. */
  files: number;
  /** Allocated on disk, bytes; a file with several links counts once. */
  bytes: number;
  /** Copied as names only: no process listens on the copy. */
  sockets: number;
  /** Entries of other users: without root, the copies will belong to this user. */
  foreign: number;
  /** Where something is mounted, or a subvolume begins: kept, but empty. */
  notCaptured: string[];
  /** What cannot be copied, and why: unreadable files, and device nodes without root. */
  problems: string[];
}

/** Unit of stat(2)'s st_blocks, bytes, whatever the file system's own block. */
const BLOCK = 512;
/** PATH_MAX of the kernel without the zero at the end: neither this process nor cp can reach what lies deeper. */
const LONGEST = 4095;
/** Of such a path, characters. */
const SHOWN = 200;
/** Entries between two checks of the signal. */
const STRIDE = 2048;

/**
 * Examines everything below the paths. Names are bytes here: a file's name need not be UTF-8. It is synchronous, because that is
 * several times faster, with pauses for the host's messages.
 *
 * @param mounts Those below the paths: passed over, and not looked at.
 */
export async function survey(
  paths: readonly string[],
  { exclude, mounts }: { exclude: readonly string[]; mounts: ReadonlySet<BytePath> },
  ctx: Context,
): Promise<Survey> {
  const seen: Survey = { files: 0, bytes: 0, sockets: 0, foreign: 0, notCaptured: [], problems: [] };
  const links = new Set<string>();
  const root = isRoot();
  const waiting: { name: Buffer; device: number }[] = paths.map((target) => ({
    name: Buffer.from(target),
    device: lstatSync(target).dev,
  }));
  for (let steps = 1, next = waiting.pop(); next !== undefined; next = waiting.pop(), steps += 1) {
    if (steps % STRIDE === 0) {
      await setImmediate();
      ctx.signal.throwIfAborted();
      ctx.progress(`looking: ${seen.files} files, ${formatBytes(seen.bytes)}`);
    }
    const { name, device } = next;
    if (isLeftOut(name.toString(), exclude)) continue;
    if (name.length > LONGEST) {
      seen.problems.push(`${name.toString().slice(0, SHOWN)}…: its path has more than ${LONGEST} bytes`);
      continue;
    }
    if (mounts.has(name.toString("latin1"))) {
      seen.notCaptured.push(name.toString());
      continue;
    }
    const stat = lstatSync(name, { throwIfNoEntry: false });
    if (stat === undefined) continue;
    // An overlay has other numbers for its files than for its folders.
    if (stat.isDirectory() && stat.dev !== device) {
      seen.notCaptured.push(name.toString());
      continue;
    }
    const problem = root ? undefined : obstacle(name, stat);
    if (problem !== undefined) {
      seen.problems.push(`${name.toString()}: ${problem}`);
      continue;
    }
    count(seen, stat, links);
    if (stat.isDirectory()) for (const child of childrenOf(name)) waiting.push({ name: child, device });
  }
  return seen;
}

function count(seen: Survey, stat: Stats, links: Set<string>): void {
  const link = `${stat.dev}:${stat.ino}`;
  if (stat.isDirectory() || stat.nlink === 1 || !links.has(link)) seen.bytes += stat.blocks * BLOCK;
  if (stat.nlink > 1) links.add(link);
  if (!stat.isDirectory()) seen.files += 1;
  if (stat.isSocket()) seen.sockets += 1;
  if (stat.uid !== process.getuid?.() && !isRoot()) seen.foreign += 1;
}

function obstacle(name: Buffer, stat: Stats): string | undefined {
  if (stat.isBlockDevice() || stat.isCharacterDevice()) return "a device node, which only root can copy";
  if (!stat.isFile() && !stat.isDirectory()) return undefined;
  try {
    accessSync(name, constants.R_OK | (stat.isDirectory() ? constants.X_OK : 0));
    return undefined;
  } catch (error) {
    return codeOf(error) === "ENOENT" ? undefined : "permission denied";
  }
}

function childrenOf(dir: Buffer): Buffer[] {
  try {
    return readdirSync(dir, { encoding: "buffer" }).map((name) => Buffer.concat([dir, Buffer.from("/"), name]));
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}
