import path from "node:path";
import { readIfExists, removeDurably, writeDurably } from "./durable-file.js";

/**
 * What a transaction still has to undo, on disk before it is done. A new worker, or `holdstill recover` after a crash, undoes exactly
 * that. `What` is plain JSON. One file for each transaction: `owed/ID.json` in the plugin's data folder.
 */
export class Owed<What> {
  readonly #file: string;

  constructor(dataDir: string, transaction: string) {
    this.#file = path.join(dataDir, "owed", `${transaction}.json`);
  }

  /** null: nothing was begun, or all of it is undone. */
  read(): What | null {
    const text = readIfExists(this.#file);
    return text === null ? null : (JSON.parse(text) as What);
  }

  /** Replaces what was owed before. */
  write(what: What): void {
    writeDurably(this.#file, JSON.stringify(what));
  }

  /** Everything is undone. Idempotent. */
  settle(): void {
    removeDurably(this.#file);
  }
}
