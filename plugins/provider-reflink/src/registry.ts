import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import type { Context, Snapshot } from "holdstill/plugin";
import { Refusal } from "./errors.js";

/** What we know of one snapshot. Written before anything is made in the store, so that a blank process finds it all. */
export interface Entry {
  readonly version: 1;
  /** Snapshot.id: the set's id, a dot, and the number of the volume in the set. Also the name of its folder in the store. */
  readonly id: string;
  readonly setId: string;
  readonly volumeId: string;
  /** Not cut, but copied from another snapshot of the set. fork: a snapshot too. scratch: of an exposure, and gone with it. */
  readonly copy?: { readonly of: string; readonly as: "fork" | "scratch" };
  readonly paths: readonly string[];
  readonly exclude: readonly string[];
  readonly store: string;
  readonly method: "reflink" | "copy";
  /** planned: nothing in the store yet. made: the folder may be there, with anything in it. sealed: whole and on disk. */
  readonly state: "planned" | "made" | "sealed";
  /** When the copying began; before that, when it was planned. */
  readonly createdAt: string;
  readonly bytes?: number;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** What is needed to find a snapshot's folder. */
export type Located = Pick<Entry, "id" | "store">;

export function folderOf(entry: Located): string {
  return path.join(entry.store, entry.id);
}

export function toSnapshot(entry: Entry): Snapshot {
  const { id, setId, volumeId, createdAt, method, bytes } = entry;
  const facts = { ...entry.facts, state: entry.state, path: folderOf(entry), paths: entry.paths };
  return {
    id,
    ...(entry.copy && { of: entry.copy.of }),
    setId,
    volumeId,
    createdAt,
    method,
    facts,
    ...(bytes === undefined ? {} : { bytes }),
  };
}

/** The entries of one instance, a JSON file each in its data folder. */
export class Registry {
  readonly #dir: string;
  readonly #log: Context["log"];

  constructor({ dataDir, log }: Pick<Context, "dataDir" | "log">) {
    this.#dir = path.join(dataDir, "registry");
    this.#log = log;
  }

  /** Replaces the entry of the same id as a whole, and returns when it is on disk; if it cannot, no draft is left. */
  write(entry: Entry): Entry {
    const draft = draftOf(this.fileOf(entry.id));
    try {
      mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
      writeDown(draft, `${JSON.stringify(entry, null, 2)}\n`);
      renameSync(draft, this.fileOf(entry.id));
      syncFolder(this.#dir);
    } catch (error) {
      rmSync(draft, { force: true });
      const reason = error instanceof Error ? error.message : String(error);
      throw new Refusal("STORE", `The registry cannot be written: ${reason}.`, `Make room in ${this.#dir}.`);
    }
    return entry;
  }

  /** Those that can be read. One that cannot fails alone: it is named in the log. */
  all(): Entry[] {
    return this.#ids().flatMap((id) => {
      const entry = this.#read(id);
      if (entry === undefined) this.#log.warn(`${this.fileOf(id)} is no entry of a snapshot: it is passed over`);
      return entry ?? [];
    });
  }

  /** All that were cut for a set: none may be passed over. */
  ofSet(setId: string): Entry[] {
    const entries = this.idsOf(setId).map((id) => {
      const entry = this.#read(id);
      if (entry === undefined) throw this.unreadable(id);
      return entry;
    });
    return entries.filter(({ copy }) => copy === undefined);
  }

  /** The throw-away copies of a snapshot: one at most, but for those that a crash left. */
  scratchesOf(id: string): Entry[] {
    return this.all().filter(({ copy }) => copy?.as === "scratch" && copy.of === id);
  }

  /** An id that no snapshot of the set has. */
  nextId(setId: string): string {
    const numbers = this.idsOf(setId).map((id) => Number(id.slice(id.lastIndexOf(".") + 1)));
    return `${setId}.${Math.max(-1, ...numbers) + 1}`;
  }

  idsOf(setId: string): string[] {
    return this.#ids().filter((id) => id.slice(0, id.lastIndexOf(".")) === setId);
  }

  find(id: string): Entry | "unreadable" | undefined {
    return this.#ids().includes(id) ? (this.#read(id) ?? "unreadable") : undefined;
  }

  unreadable(id: string): Refusal {
    const hint = `Look for a folder ${id} in the stores; remove it, and then ${this.fileOf(id)}.`;
    return new Refusal("STORE", `${this.fileOf(id)} is no entry of a snapshot.`, hint);
  }

  forget(id: string): void {
    for (const file of [this.fileOf(id), draftOf(this.fileOf(id))]) rmSync(file, { force: true });
  }

  fileOf(id: string): string {
    return path.join(this.#dir, `${id}.json`);
  }

  #ids(): string[] {
    if (!existsSync(this.#dir)) return [];
    const files = readdirSync(this.#dir).filter((file) => file.endsWith(".json"));
    return files.map((file) => path.basename(file, ".json")).toSorted();
  }

  #read(id: string): Entry | undefined {
    try {
      const entry = JSON.parse(readFileSync(this.fileOf(id), "utf8")) as Entry;
      return entry.id === id && path.isAbsolute(entry.store) && Array.isArray(entry.paths) ? entry : undefined;
    } catch {
      return undefined;
    }
  }
}

function draftOf(file: string): string {
  return `${file}.draft`;
}

/** As a whole, also where one write(2) takes only a part. */
function writeDown(file: string, text: string): void {
  const fd = openSync(file, "w", 0o600);
  try {
    writeFileSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** A rename lasts when its folder is synced (fsync(2)). */
function syncFolder(dir: string): void {
  const fd = openSync(dir, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
