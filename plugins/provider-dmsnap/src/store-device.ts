import { closeSync, constants, fsyncSync, openSync, readSync, writeSync } from "node:fs";
import type { Context } from "holdstill/plugin";
import { messageOf } from "#kit/plugin-error.js";
import { PluginError } from "./errors.js";

/** Beginning of the device that is reserved for its label, bytes. */
export const LABEL_SPACE = 1024 ** 2;
const LABEL = "holdstill provider-dmsnap store, version 1, of ";

/**
 * Makes a block device ours. One that has anything but our label is refused: it may have data, or be the store of another
 * instance, which does not know what this one uses.
 */
export async function claim(device: string, ctx: Pick<Context, "exec" | "dataDir">): Promise<void> {
  const label = Buffer.from(`${LABEL}${ctx.dataDir}\n`);
  const seen = headOf(device, label.length);
  if (seen.equals(label)) return;
  if (seen.toString("latin1").startsWith(LABEL)) {
    const message = `${device} is the store of another instance.`;
    throw new PluginError("STORE", message, "Give each instance a separate device.");
  }
  // blkid(8): 2 means that nothing was found.
  const { exitCode, stdout } = await ctx.exec("blkid", ["--probe", "--", device]);
  if (exitCode !== 2) {
    const message = `${device} is not empty (${stdout.trim() || "blkid cannot identify its contents"}), so it is not used as a store.`;
    throw new PluginError("STORE", message, `If nothing on it is needed: wipefs --all ${device}`);
  }
  try {
    // O_EXCL: the kernel refuses what is mounted or used by another device (open(2)).
    const fd = openSync(device, constants.O_RDWR | constants.O_EXCL);
    try {
      writeSync(fd, label);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    const message = `${device} cannot be made a store: ${messageOf(error)}.`;
    throw new PluginError("STORE", message, "`lsblk` shows what uses it.");
  }
}

function headOf(device: string, bytes: number): Buffer {
  const fd = openSync(device, "r");
  try {
    const seen = Buffer.alloc(bytes);
    readSync(fd, seen);
    return seen;
  } finally {
    closeSync(fd);
  }
}
