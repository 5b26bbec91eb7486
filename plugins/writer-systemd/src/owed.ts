import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Cgroup } from "./locate.js";

/** The group that a transaction freezes, on disk before it does: only a freeze of our own is ever undone. */
export class Owed {
  readonly #file: string;

  constructor(dataDir: string, transaction: string) {
    this.#file = path.join(dataDir, "owed", `${transaction}.json`);
  }

  read(): Cgroup | null {
    try {
      return JSON.parse(readFileSync(this.#file, "utf8")) as Cgroup;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
      throw error;
    }
  }

  write(group: Cgroup): void {
    mkdirSync(path.dirname(this.#file), { recursive: true, mode: 0o700 });
    writeFileSync(this.#file, JSON.stringify(group), { mode: 0o600, flush: true });
  }

  settle(): void {
    rmSync(this.#file, { force: true });
  }
}
