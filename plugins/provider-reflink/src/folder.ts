import { closeSync, constants, fchmodSync, openSync } from "node:fs";
import { codeOf, Refusal } from "./refusal.js";

/** Nobody but us may enter: while a snapshot is made, and whenever it is not exposed. */
const CLOSED = 0o700;
/** Others may pass through to trees that keep their own modes and parents, but not look around. */
const PASSABLE = 0o711;

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;

/** Acts on a folder itself, never on what a link of that name points to. Does nothing if it is gone. */
export function onFolder(dir: string, act: (fd: number) => void): void {
  const fd = openFolder(dir);
  if (fd === undefined) return;
  try {
    act(fd);
  } finally {
    closeSync(fd);
  }
}

export function closeFolder(dir: string): void {
  onFolder(dir, (fd) => fchmodSync(fd, CLOSED));
}

export function letPass(dir: string): void {
  onFolder(dir, (fd) => fchmodSync(fd, PASSABLE));
}

function openFolder(dir: string): number | undefined {
  try {
    return openSync(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    const message = `${dir} is not a folder that we can open (${codeOf(error)}), so it is left alone.`;
    throw new Refusal("STORE", message, "Look at who replaced it.");
  }
}
