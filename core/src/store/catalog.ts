import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { HoldstillError } from "../base/errors/error.js";
import { nearest } from "../base/schema/nearest.js";
import type { Finding, RequesterMark, SnapshotSet } from "../base/schema/types.js";
import { isNewer, validate, validateOpenly } from "../base/schema/validate.js";
import { Clock } from "./clock.js";
import { bySequence, ownerOf } from "./owner.js";
import { type StateDir, syncDir, asStateError, writeDurably } from "./state-directory.js";
import { WriteGate } from "./write-gate.js";

/** A record that could not be read; it is reported and left alone. */
export interface Damaged {
  file: string;
  /** `newer`: a later version of holdstill wrote it. */
  state: "newer" | "damaged";
  findings: Finding[];
}

/** The snapshot sets on disk: `sets/ID/set.json`, with the writers' sidecars beside it. */
export class Catalog {
  readonly #state: StateDir;
  readonly #gate: WriteGate;
  readonly clock: Clock;

  constructor(state: StateDir, gate = new WriteGate(), clock = new Clock(state)) {
    this.#state = state;
    this.#gate = gate;
    this.clock = clock;
  }

  /** In the order in which they were recorded. */
  list(): { sets: SnapshotSet[]; damaged: Damaged[] } {
    const sets: SnapshotSet[] = [];
    const damaged: Damaged[] = [];
    for (const id of this.#ids()) {
      const read = this.#read(id);
      if (read === null) continue;
      if ("findings" in read) damaged.push(read);
      else sets.push(read);
    }
    return { sets: sets.toSorted(bySequence), damaged };
  }

  has(id: string): boolean {
    return asStateError(this.#state, () => isRecorded(this.folder(id)));
  }

  /**
   * Only a whole id finds the set of another user: that user chooses its name, and when it is the latest.
   *
   * @param key A set's id or a unique beginning of it, a name (of several sets the newest is meant), or `latest`.
   * @param requester On whose behalf; null: the user who runs this process.
   * @throws HoldstillError E_SET_UNKNOWN, E_SET_AMBIGUOUS, E_SET_FOREIGN, E_RECORD_DAMAGED, E_TOO_NEW
   */
  find(key: string, requester: RequesterMark | null = null): SnapshotSet {
    const ids = this.#ids();
    if (ids.includes(key)) return this.#whole(key);
    const begun = ids.filter((id) => key.length > 3 && id.startsWith(key));
    if (begun.length > 1) throw new HoldstillError("E_SET_AMBIGUOUS", { set: key, matches: begun });
    if (begun[0] !== undefined) return newestOwn(key, [this.#whole(begun[0])], requester);
    const { sets, damaged } = this.list();
    const named = sets.filter((set) => key === "latest" || set.name === key);
    if (key === "latest") refuseDamaged(damaged, named.at(-1)?.id ?? "");
    if (named.length > 0) return newestOwn(key, named, requester);
    const close = nearest(key, [...ids, ...sets.flatMap((set) => set.name ?? [])]);
    throw new HoldstillError("E_SET_UNKNOWN", { set: key, ...(close === undefined ? {} : { nearest: close }) });
  }

  /**
   * Writes the record of a new set, with its number.
   *
   * @returns The record as it is on disk.
   * @throws HoldstillError E_STATE_DIR
   */
  async add(set: SnapshotSet): Promise<SnapshotSet> {
    const newest = (): number => this.list().sets.at(-1)?.sequence ?? 0;
    const { sequence, doubt } = await this.#gate.write(() => asStateError(this.#state, () => this.clock.next(newest)));
    const numbered = { ...set, sequence, ...(doubt === null ? {} : { clockDoubt: doubt }) };
    await this.write(numbered);
    return numbered;
  }

  /** The operator says that the clock is right, now and when these sets were taken. @throws HoldstillError E_STATE_DIR */
  async acceptClock(): Promise<void> {
    await this.#gate.write(() => asStateError(this.#state, () => this.clock.accept()));
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

  /** @throws HoldstillError E_STATE_DIR, for example to a user that may not read it */
  #ids(): string[] {
    return asStateError(this.#state, () => {
      if (lstatSync(this.#state.sets, { throwIfNoEntry: false }) === undefined) return [];
      return readdirSync(this.#state.sets, { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && isRecorded(path.join(this.#state.sets, entry.name)))
        .map((entry) => entry.name)
        .toSorted();
    });
  }

  /** null: another process removed it meanwhile. */
  #read(id: string): SnapshotSet | Damaged | null {
    const file = path.join(this.#state.sets, id, "set.json");
    const damaged = (seen: string, expected: string, pointer = ""): Damaged => ({
      file,
      state: "damaged",
      findings: [{ file, pointer, seen, expected }],
    });
    try {
      // Reading a pipe would block, and a device may never end.
      if (!lstatSync(file).isFile()) return damaged("something that is not a plain file", "a record");
      const value = JSON.parse(readFileSync(file, "utf8")) as unknown;
      const checked = validateOpenly("snapshot-set", value, file);
      if (!checked.ok)
        return { file, state: isNewer(value, "recordVersion") ? "newer" : "damaged", findings: checked.findings };
      if (checked.value.id === id) return checked.value;
      return damaged(checked.value.id, `the folder's name, ${id}`, "/id");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
      return damaged(String(error), "a readable JSON document");
    }
  }

  #whole(id: string): SnapshotSet {
    const read = this.#read(id);
    if (read === null) throw new HoldstillError("E_SET_UNKNOWN", { set: id });
    if ("findings" in read) throw unreadable(read);
    return read;
  }
}

/** @param sets Not empty, oldest first. */
function newestOwn(key: string, sets: readonly SnapshotSet[], requester: RequesterMark | null): SnapshotSet {
  const own = sets.findLast((set) => ownerOf(set.requester) === ownerOf(requester));
  if (own !== undefined) return own;
  const [{ id, requester: other }] = sets.slice(-1) as [SnapshotSet];
  throw new HoldstillError("E_SET_FOREIGN", { set: key, id, owner: ownerOf(other) });
}

/** A damaged record that is newer may be the one that is meant. */
function refuseDamaged(damaged: readonly Damaged[], newest: string): void {
  const newer = damaged.find(({ file }) => path.basename(path.dirname(file)) > newest);
  if (newer !== undefined) throw unreadable(newer);
}

function unreadable({ file, state, findings }: Damaged): HoldstillError {
  return new HoldstillError(state === "newer" ? "E_TOO_NEW" : "E_RECORD_DAMAGED", { file, findings });
}

/**
 * A folder without set.json belongs to a transaction that is under way, or that recover has to look at. One that another process
 * removes meanwhile must not hide the others: recovery would take their sets for undone.
 */
function isRecorded(dir: string): boolean {
  return lstatSync(path.join(dir, "set.json"), { throwIfNoEntry: false }) !== undefined;
}
