import { execFileSync } from "node:child_process";
import { closeSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import path from "node:path";

/** A file that takes all the room that a file system has, also what is kept for root. */
export class Filler {
  readonly #file: string;

  private constructor(file: string) {
    this.#file = file;
  }

  static fill(folder: string): Filler {
    const filler = new Filler(path.join(folder, "filler"));
    const { bfree, bsize } = statfsSync(folder);
    // Most of it at once; what its own metadata leave over block by block.
    execFileSync("fallocate", ["-l", String(Math.floor(bfree * 0.97) * bsize), filler.#file]);
    const fd = openSync(filler.#file, "a");
    try {
      for (const size of [1024 * 1024, bsize]) fillWith(fd, Buffer.alloc(size, 0x68));
    } finally {
      closeSync(fd);
    }
    return filler;
  }

  remove(): void {
    rmSync(this.#file);
  }
}

function fillWith(fd: number, block: Buffer): void {
  try {
    for (;;) writeSync(fd, block);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
  }
}
