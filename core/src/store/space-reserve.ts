import { randomBytes } from "node:crypto";
import { existsSync, rmSync, statfsSync } from "node:fs";
import path from "node:path";
import { type StateDir, writeDurably } from "./state-directory.js";

/** More than the removal of a set writes, bytes. */
const SIZE = 256 * 1024;

const fileOf = ({ root }: StateDir): string => path.join(root, "reserve");

/**
 * Takes the space that `releaseReserve` gives back: a removal is written down before it is made, and on a full disk nothing that fills it
 * could be removed otherwise. On a disk that is almost full nothing is taken.
 */
export function takeReserve(state: StateDir): void {
  const file = fileOf(state);
  if (existsSync(file) || freeBytes(state) < 64 * SIZE) return;
  try {
    // No hole, and hardly compressed.
    writeDurably(file, randomBytes((SIZE / 4) * 3).toString("base64"));
  } catch {
    rmSync(file, { force: true });
  }
}

/** Before a removal: gives the space back if the disk is full. The next transaction takes it again. */
export function releaseReserve(state: StateDir): void {
  if (freeBytes(state) < SIZE) rmSync(fileOf(state), { force: true });
}

/** That a process without privileges may use. */
function freeBytes({ root }: StateDir): number {
  const { bavail, bsize } = statfsSync(root);
  return bavail * bsize;
}
