import { closeSync, constants, fchmodSync, mkdirSync, openSync } from "node:fs";
import type { Context } from "holdstill/plugin";
import { codeOf, messageOf } from "#kit/plugin-error.js";
import { PluginError } from "./errors.js";
import { folderOf, type Located } from "./registry.js";

/** No other user may enter: while a snapshot is made, and whenever it is not exposed. */
const CLOSED = 0o700;
/** Other users may pass through to the trees, which have their original modes, but may not list the folder. */
const PASSABLE = 0o711;

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;

/** Acts on a folder itself, never on what a link of that name points to. Does nothing if it is gone. */
export function withFolder(dir: string, act: (fd: number) => void): void {
  const fd = openFolder(dir);
  if (fd === undefined) return;
  try {
    act(fd);
  } finally {
    closeSync(fd);
  }
}

/** No other user may enter the folder until it is exposed: a user who can enter could put links where files are copied to. */
export function makeFolder(entry: Located): void {
  try {
    mkdirSync(entry.store, { recursive: true, mode: 0o711 });
    mkdirSync(folderOf(entry), { mode: CLOSED });
  } catch (error) {
    throw new PluginError(
      "STORE",
      `The store cannot be used: ${messageOf(error)}.`,
      "Give another folder with the option `store`.",
    );
  }
}

/** Returns when all in the folder is on disk. syncfs(2): one call for all files, where an fsync for each would take minutes. */
export async function flush(folder: string, ctx: Context): Promise<void> {
  const { exitCode, stderr } = await ctx.exec("sync", ["-f", "--", folder]);
  if (exitCode !== 0)
    throw new PluginError("STORE", `sync failed: ${stderr.trim()}`, "The kernel's log has the reason: `dmesg | tail`.");
}

export function closeFolder(dir: string): void {
  withFolder(dir, (fd) => fchmodSync(fd, CLOSED));
}

export function openForOthers(dir: string): void {
  withFolder(dir, (fd) => fchmodSync(fd, PASSABLE));
}

function openFolder(dir: string): number | undefined {
  try {
    return openSync(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    const message = `${dir} is not a folder that can be opened (${codeOf(error)}), so it is not changed.`;
    throw new PluginError("STORE", message, "Find out which program replaced it.");
  }
}
