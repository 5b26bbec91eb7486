import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Undo } from "./hook.js";

/**
 * Who has to be thawed, on disk before it is frozen: a blank worker, or `holdstill recover` after a crash, thaws exactly those,
 * with the programs that were meant then.
 */
export class Owed {
  readonly #file: string;

  constructor(dataDir: string, transaction: string) {
    this.#file = path.join(dataDir, "owed", `${transaction}.json`);
  }

  /** In the order of thawing. */
  read(): Undo[] {
    try {
      return JSON.parse(readFileSync(this.#file, "utf8")) as Undo[];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
  }

  write(undo: readonly Undo[]): void {
    if (undo.length === 0) {
      rmSync(this.#file, { force: true });
      return;
    }
    mkdirSync(path.dirname(this.#file), { recursive: true, mode: 0o700 });
    const draft = `${this.#file}.new`;
    writeFileSync(draft, JSON.stringify(undo), { mode: 0o600, flush: true });
    renameSync(draft, this.#file);
  }
}
