import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { type StateDir, writeDurably } from "./state-directory.js";
import type { WriteGate } from "./write-gate.js";
import type { KeptOperation } from "../base/schema/types.js";
import { validateOpenly } from "../base/schema/validate.js";

/** The most ended operations that are kept. */
const most = 1000;

/** The service's operations on disk, a file each, so that the next service can report how they ended. */
export class OperationStore {
  readonly #folder: string;
  /** Oldest first: an id begins with its time. */
  readonly #ids: string[];

  readonly #gate: WriteGate;

  constructor({ root }: StateDir, gate: WriteGate) {
    this.#gate = gate;
    this.#folder = path.join(root, "operations");
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    this.#ids = readdirSync(this.#folder)
      .filter((file) => /^[0-9a-f-]+\.json$/.test(file))
      .map((file) => path.basename(file, ".json"))
      .toSorted();
  }

  /** The newest that can be read, oldest first. */
  newest(count = most): KeptOperation[] {
    return this.#ids.slice(-count).flatMap((id) => this.find(id) ?? []);
  }

  find(id: string): KeptOperation | null {
    if (!this.#ids.includes(id)) return null;
    try {
      const file = this.#file(id);
      const checked = validateOpenly("service#/$defs/keptOperation", JSON.parse(readFileSync(file, "utf8")), file);
      return checked.ok ? checked.value : null;
    } catch {
      return null;
    }
  }

  /** @returns The ids of those that are deleted for it. @throws the file system's error */
  keep(kept: KeptOperation): Promise<string[]> {
    const { id } = kept.operation;
    return this.#gate.write(() => {
      writeDurably(this.#file(id), `${JSON.stringify(kept)}\n`);
      if (!this.#ids.includes(id)) this.#ids.push(id);
      const old = this.#ids.splice(0, Math.max(0, this.#ids.length - most));
      for (const one of old) rmSync(this.#file(one), { force: true });
      return old;
    });
  }

  #file(id: string): string {
    return path.join(this.#folder, `${id}.json`);
  }
}
