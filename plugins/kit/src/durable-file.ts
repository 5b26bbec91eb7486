import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { codeOf } from "./plugin-error.js";

const draftOf = (file: string): string => `${file}.draft`;

/**
 * Writes a file as a whole, for its owner only, and returns when it is on disk: a crash leaves either the old content or the new one.
 * The folder is made if it does not exist. If the write fails, no draft is left.
 */
export function writeDurably(file: string, text: string): void {
  const folder = path.dirname(file);
  const draft = draftOf(file);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const fd = openSync(draft, "w", 0o600);
    try {
      // writeFileSync goes on where one write(2) takes only a part.
      writeFileSync(fd, text);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(draft, file);
    syncFolder(folder);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/** Removes a file and its draft. A file that does not exist is a success. */
export function removeDurably(file: string): void {
  for (const one of [file, draftOf(file)]) rmSync(one, { force: true });
  if (existsSync(path.dirname(file))) syncFolder(path.dirname(file));
}

/** The text of a file; null if it does not exist. */
export function readIfExists(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}

/** A new or removed name is on disk when its folder is (fsync(2)). */
function syncFolder(folder: string): void {
  const fd = openSync(folder, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
