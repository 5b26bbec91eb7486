import { closeSync, constants, fsyncSync, openSync, readSync, writeSync } from "node:fs";
import type { Context } from "holdstill/plugin";
import { reasonOf, Refusal } from "./refusal.js";

/** Start of the device that is left for its label, bytes. */
export const LABEL_ROOM = 1024 ** 2;
const label = Buffer.from("holdstill provider-dmsnap store, version 1\n");

/** Makes a block device ours. One that carries anything but our own label is refused: it may be somebody's data. */
export async function claim(device: string, ctx: Pick<Context, "exec">): Promise<void> {
  if (isLabelled(device)) return;
  // blkid(8): 2 means that nothing was found.
  const { exitCode, stdout } = await ctx.exec("blkid", ["--probe", "--", device]);
  if (exitCode !== 2) {
    const message = `${device} is not empty (${stdout.trim() || "blkid cannot tell what is on it"}), so it is not used as a store.`;
    throw new Refusal("STORE", message, `If nothing on it is needed: wipefs --all ${device}`);
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
    const message = `${device} cannot be made a store: ${reasonOf(error)}.`;
    throw new Refusal("STORE", message, "See with `lsblk` who uses it.");
  }
}

function isLabelled(device: string): boolean {
  const fd = openSync(device, "r");
  try {
    const seen = Buffer.alloc(label.length);
    readSync(fd, seen);
    return seen.equals(label);
  } finally {
    closeSync(fd);
  }
}
