import { closeSync, constants, fstatSync, fsyncSync, openSync, readSync, writeFileSync } from "node:fs";
import path from "node:path";
import { syncDir } from "./state-directory.js";

const { O_RDWR, O_APPEND, O_CREAT } = constants;

/** Adds a line to a file of lines, and brings it to disk. A last line that a crash cut short spoils itself alone. */
export function appendLine(file: string, line: string): void {
  const fd = openSync(file, O_RDWR | O_APPEND | O_CREAT, 0o600);
  try {
    const { size } = fstatSync(fd);
    // Not writeSync: on a full disk it writes a part, without an error.
    writeFileSync(fd, `${isWhole(fd, size) ? "" : "\n"}${line}\n`);
    fsyncSync(fd);
    if (size === 0) syncDir(path.dirname(file));
  } finally {
    closeSync(fd);
  }
}

function isWhole(fd: number, size: number): boolean {
  if (size === 0) return true;
  const last = Buffer.alloc(1);
  readSync(fd, last, 0, 1, size - 1);
  return last.toString() === "\n";
}
