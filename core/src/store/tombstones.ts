import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import type { RecordedSnapshot, Tombstone } from "../base/schema/types.js";
import { validate } from "../base/schema/validate.js";
import { asStateError, type StateDir, writeDurably } from "./state-directory.js";
import type { WriteGate } from "./write-gate.js";

/** The most that are kept: storage may never come back. */
const MOST = 1000;

/**
 * What is known of deleted sets with snapshots that could not be seen when they were deleted: `tombstones/SET.json`, until each of
 * them was seen and removed. Without it, a snapshot that turns up later would belong to no one.
 */
export class Tombstones {
  readonly #state: StateDir;
  readonly #gate: WriteGate;
  readonly #folder: string;

  constructor(state: StateDir, gate: WriteGate) {
    this.#state = state;
    this.#gate = gate;
    this.#folder = path.join(state.root, "tombstones");
  }

  /** Oldest first. One that cannot be read is skipped. @throws HoldstillError E_STATE_DIR */
  read(): Tombstone[] {
    return this.#ids().flatMap((id) => this.#find(id) ?? []);
  }

  /** On disk before the record of the set is removed. @throws HoldstillError E_STATE_DIR */
  async add(id: string, snapshots: readonly RecordedSnapshot[]): Promise<void> {
    if (snapshots.length > 0)
      await this.#write({ tombstoneVersion: 1, id, deletedAt: now(), snapshots: [...snapshots] });
  }

  /** The snapshot was seen, and is removed. @throws HoldstillError E_STATE_DIR */
  async settle(id: string, provider: string, snapshot: string): Promise<void> {
    const known = this.#find(id);
    if (known === null) return;
    const left = known.snapshots.filter((one) => one.by.instance !== provider || one.snapshot.id !== snapshot);
    if (left.length > 0) return this.#write({ ...known, snapshots: left });
    await this.#gate.write(() => asStateError(this.#state, () => rmSync(this.#file(id), { force: true })));
  }

  #write(tombstone: Tombstone): Promise<void> {
    return this.#gate.write(() =>
      asStateError(this.#state, () => {
        mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
        writeDurably(this.#file(tombstone.id), `${JSON.stringify(tombstone, null, 2)}\n`);
        for (const old of this.#ids().slice(0, -MOST)) rmSync(this.#file(old), { force: true });
      }),
    );
  }

  #find(id: string): Tombstone | null {
    const file = this.#file(id);
    try {
      const checked = validate("tombstone", JSON.parse(readFileSync(file, "utf8")), file);
      return checked.ok && checked.value.id === id ? checked.value : null;
    } catch {
      return null;
    }
  }

  /** An id begins with its time. */
  #ids(): string[] {
    return asStateError(this.#state, () => {
      try {
        return readdirSync(this.#folder)
          .filter((file) => file.endsWith(".json"))
          .map((file) => path.basename(file, ".json"))
          .toSorted();
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
        throw error;
      }
    });
  }

  #file(id: string): string {
    return path.join(this.#folder, `${id}.json`);
  }
}

const now = (): string => new Date().toISOString();
