import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import path from "node:path";

/** A file that takes all the room that a file system has. */
export class Filler {
  readonly #file: string;

  private constructor(file: string) {
    this.#file = file;
  }

  static fill(folder: string): Filler {
    const filler = new Filler(path.join(folder, "filler"));
    const fd = openSync(filler.#file, "w");
    try {
      // The last bytes too: whole blocks first, then what is smaller.
      for (const size of [1024 * 1024, 4096]) {
        try {
          for (const block = Buffer.alloc(size, 0x68); ;) writeSync(fd, block);
        } catch (error) {
          if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
        }
      }
    } finally {
      closeSync(fd);
    }
    return filler;
  }

  remove(): void {
    rmSync(this.#file);
  }
}
