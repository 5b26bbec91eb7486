import { mkdirSync, rmdirSync } from "node:fs";
import path from "node:path";
import { WriteGate } from "./write-gate.js";

/** The folders below `exposeDir` at which providers show snapshots, and the folder at which `run` mounts them. */
export class ExposureFolders {
  readonly root: string;
  readonly #gate: WriteGate;

  constructor(root: string, gate = new WriteGate()) {
    this.root = root;
    this.#gate = gate;
  }

  /** The folder of one set, or one below it; `root` is that of `run`. */
  of(set: string, ...names: readonly string[]): string {
    return path.join(this.root, set, ...names);
  }

  /** Other users may pass through it, and not list it. */
  async make(folder: string): Promise<void> {
    await this.#gate.write(() => mkdirSync(folder, { recursive: true, mode: 0o711 }));
  }

  /** Removes the folder, and the set's folder with its last one. A folder that is not empty is still in use, and stays. */
  async remove(folder: string): Promise<void> {
    await this.#gate.write(() => {
      for (const dir of [folder, path.dirname(folder)]) {
        try {
          rmdirSync(dir);
        } catch {
          return;
        }
      }
    });
  }
}
