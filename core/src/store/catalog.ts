import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { HoldstillError } from "../base/errors/error.js";
import { nearest } from "../base/schema/nearest.js";
import type { Finding, SnapshotSet } from "../base/schema/types.js";
import { validate } from "../base/schema/validate.js";
import { type StateDir, syncDir, asStateError, writeDurably } from "./state-directory.js";
import { WriteGate } from "./write-gate.js";

/** A record that could not be read; it is reported and left alone. */
export interface Damaged {
  file: string;
  findings: Finding[];
}

/** The snapshot sets on disk: `sets/ID/set.json`, with the writers' sidecars beside it. */
export class Catalog {
  readonly #state: StateDir;
  readonly #gate: WriteGate;

  constructor(state: StateDir, gate = new WriteGate()) {
    this.#state = state;
    this.#gate = gate;
  }

  /** Oldest first. */
  list(): { sets: SnapshotSet[]; damaged: Damaged[] } {
    const sets: SnapshotSet[] = [];
    const damaged: Damaged[] = [];
    for (const id of this.#ids()) {
      const read = this.#read(id);
      if (read === null) continue;
      if ("findings" in read) damaged.push(read);
      else sets.push(read);
    }
    return { sets, damaged };
  }

  has(id: string): boolean {
    return this.#ids().includes(id);
  }

  /**
   * @param key A set's id or a unique beginning of it, a name (of several sets the newest is meant), or `latest`.
   * @throws HoldstillError E_SET_UNKNOWN, E_SET_AMBIGUOUS, E_RECORD_DAMAGED
   */
  find(key: string): SnapshotSet {
    const ids = this.#ids();
    const exact = ids.includes(key) ? [key] : ids.filter((id) => key.length > 3 && id.startsWith(key));
    if (exact.length > 1) throw new HoldstillError("E_SET_AMBIGUOUS", { set: key, matches: exact });
    if (exact[0] !== undefined) return this.#whole(exact[0]);
    const newest = ids.at(-1);
    if (key === "latest" && newest !== undefined) return this.#whole(newest);
    const { sets } = this.list();
    const named = sets.findLast((set) => set.name === key);
    if (named !== undefined) return named;
    const close = nearest(key, [...ids, ...sets.flatMap((set) => set.name ?? [])]);
    throw new HoldstillError("E_SET_UNKNOWN", { set: key, ...(close === undefined ? {} : { nearest: close }) });
  }

  /**
   * The record on disk is the set's birth certificate: before it the transaction is undone, after it the set exists.
   *
   * @throws HoldstillError E_STATE_DIR
   */
  async write(set: SnapshotSet): Promise<void> {
    const checked = validate("snapshot-set", set, "the record");
    if (!checked.ok) throw new Error(`the record would be damaged: ${JSON.stringify(checked.findings)}`);
    await this.#gate.write(() =>
      asStateError(this.#state, () => {
        const dir = this.folder(set.id);
        mkdirSync(dir, { recursive: true, mode: 0o700 });
        writeDurably(path.join(dir, "set.json"), `${JSON.stringify(set, null, 2)}\n`);
        syncDir(this.#state.sets);
      }),
    );
  }

  /** Where a set's record and its sidecars lie. */
  folder(id: string): string {
    return path.join(this.#state.sets, id);
  }

  /** Where a writer's files of a set lie. */
  sidecarDir(id: string, writer: string): string {
    return path.join(this.folder(id), "sidecar", writer);
  }

  /** Makes the folders of the writers' files. @throws HoldstillError E_STATE_DIR */
  async makeSidecarDirs(id: string, writers: readonly string[]): Promise<void> {
    await this.#gate.write(() =>
      asStateError(this.#state, () => {
        for (const writer of writers) mkdirSync(this.sidecarDir(id, writer), { recursive: true, mode: 0o700 });
      }),
    );
  }

  /** Removes a set's record and its sidecars; idempotent. */
  async remove(id: string): Promise<void> {
    await this.#gate.write(() => rmSync(this.folder(id), { recursive: true, force: true }));
  }

  #ids(): string[] {
    if (lstatSync(this.#state.sets, { throwIfNoEntry: false }) === undefined) return [];
    return readdirSync(this.#state.sets, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && isRecorded(path.join(this.#state.sets, entry.name)))
      .map((entry) => entry.name)
      .toSorted();
  }

  /** null: another process removed it meanwhile. */
  #read(id: string): SnapshotSet | Damaged | null {
    const file = path.join(this.#state.sets, id, "set.json");
    const damaged = (seen: string, expected: string): Damaged => ({
      file,
      findings: [{ file, pointer: "", seen, expected }],
    });
    try {
      // Reading a pipe would block, and a device may never end.
      if (!lstatSync(file).isFile()) return damaged("something that is not a plain file", "a record");
      const checked = validate("snapshot-set", JSON.parse(readFileSync(file, "utf8")), file);
      if (!checked.ok) return { file, findings: checked.findings };
      if (checked.value.id === id) return checked.value;
      return {
        file,
        findings: [{ file, pointer: "/id", seen: checked.value.id, expected: `the folder's name, ${id}` }],
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
      return damaged(String(error), "a readable JSON document");
    }
  }

  #whole(id: string): SnapshotSet {
    const read = this.#read(id);
    if (read === null) throw new HoldstillError("E_SET_UNKNOWN", { set: id });
    if ("findings" in read) throw new HoldstillError("E_RECORD_DAMAGED", { ...read });
    return read;
  }
}

/**
 * A folder without set.json belongs to a transaction that is under way, or that recover has to look at. One that another process
 * removes meanwhile must not hide the others: recovery would take their sets for undone.
 */
function isRecorded(dir: string): boolean {
  return lstatSync(path.join(dir, "set.json"), { throwIfNoEntry: false }) !== undefined;
}
