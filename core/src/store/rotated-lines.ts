import { closeSync, fstatSync, openSync, readSync, renameSync, statSync } from "node:fs";
import { flockExclusive } from "../os/libc.js";
import { appendLine } from "./line-file.js";

/** A file of lines is put aside when it is larger than this, in place of the one before: bytes. */
const fullAt = 4 * 1024 * 1024;

/** Lines of which the oldest are dropped: at most twice `fullAt` are read, whatever the size of the files. */
export class RotatedLines {
  readonly #file: string;
  readonly #previous: string;

  /** @param file Ends with .jsonl; the file before it is NAME.1.jsonl. */
  constructor(file: string) {
    this.#file = file;
    this.#previous = file.replace(/\.jsonl$/, ".1.jsonl");
  }

  /** Adds a line, and brings it to disk. @throws the file system's error */
  append(line: string): void {
    this.#rotate();
    appendLine(this.#file, line);
  }

  /** Both files, the older first: their last `fullAt` bytes. `version` is equal as long as nothing was added. */
  read(): { version: string; lines: () => string[] } {
    const files = [this.#previous, this.#file].flatMap((file) => {
      const stats = statSync(file, { throwIfNoEntry: false });
      return stats?.isFile() === true ? [{ file, size: stats.size, ino: stats.ino }] : [];
    });
    return {
      version: files.map(({ ino, size }) => `${ino}:${size}`).join(" "),
      lines: () => files.flatMap(({ file }) => tailOf(file)),
    };
  }

  /** One process at a time, and only the file that it has looked at. */
  #rotate(): void {
    const size = statSync(this.#file, { throwIfNoEntry: false })?.size ?? 0;
    if (size < fullAt) return;
    const fd = openSync(this.#file, "r");
    try {
      if (flockExclusive(fd) && statSync(this.#file, { throwIfNoEntry: false })?.ino === fstatSync(fd).ino)
        renameSync(this.#file, this.#previous);
    } finally {
      closeSync(fd);
    }
  }
}

/** The lines at the end of a file. The first may be a part of one, which is not valid. */
function tailOf(file: string): string[] {
  const fd = openSync(file, "r");
  try {
    const { size } = fstatSync(fd);
    const buffer = Buffer.alloc(Math.min(size, fullAt + 64 * 1024));
    const read = readSync(fd, buffer, 0, buffer.length, size - buffer.length);
    return buffer.toString("utf8", 0, read).split("\n");
  } finally {
    closeSync(fd);
  }
}
