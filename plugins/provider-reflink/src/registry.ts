import path from "node:path";
import type { Context, FileSystemVolume, Snapshot } from "holdstill/plugin";
import { EntryFolder } from "#kit/entry-folder.js";
import { messageOf } from "#kit/plugin-error.js";
import { PluginError } from "./errors.js";

/** All that is known of one snapshot. On disk before anything is made in the store, so that a new process finds all of it. */
export interface Entry {
  readonly version: 1;
  /** Snapshot.id: the set's id, a dot, and the number of the volume in the set. Also the name of its folder in the store. */
  readonly id: string;
  readonly setId: string;
  readonly volumeId: string;
  /** Absent in an entry of an older version. */
  readonly volume?: FileSystemVolume;
  /** Of the volume: the paths are copied relative to it. */
  readonly mountPoint: string;
  /** Not cut, but copied from another snapshot of the set. fork: a snapshot too. scratch: of an exposure, and gone with it. */
  readonly copy?: { readonly of: string; readonly as: "fork" | "scratch" };
  readonly paths: readonly string[];
  readonly exclude: readonly string[];
  readonly store: string;
  /** Where the store's file system is mounted. Absent in an entry of an older version. */
  readonly mount?: string;
  readonly method: "reflink" | "copy";
  /** planned: nothing in the store yet. made: the folder may be there, with anything in it. sealed: whole and on disk. */
  readonly state: "planned" | "made" | "sealed";
  /** When the copying began; before that, when it was planned. */
  readonly createdAt: string;
  readonly bytes?: number;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** The names of this plugin's folders: see Entry.id. Never `..`, never a path. */
export const isId = (name: string): boolean => /^[A-Za-z0-9][A-Za-z0-9_-]*\.[0-9]+$/.test(name);

/** What is needed to find a snapshot's folder. */
export type Located = Pick<Entry, "id" | "store">;

/** Closed to other users. */
export function folderOf(entry: Located): string {
  return path.join(entry.store, entry.id);
}

/** In a snapshot's folder: the trees, below their absolute paths. */
export const FILES = "files";
/** In a snapshot's folder: where what is copied is mounted meanwhile. */
export const SOURCE = "source";

export const filesOf = (entry: Located): string => path.join(folderOf(entry), FILES);
export const sourceOf = (entry: Located): string => path.join(folderOf(entry), SOURCE);

/** As the host keeps it. */
export function toSnapshot(entry: Entry): Snapshot {
  const { id, setId, volumeId, createdAt, method, bytes } = entry;
  const { state, paths, mount } = entry;
  const facts = { ...entry.facts, state, path: folderOf(entry), paths, ...(mount === undefined ? {} : { mount }) };
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

/**
 * The entries of one instance: those in its data folder, and those that only the configured store has. The latter are of a data folder
 * that was lost, or of another one.
 */
export class Registry {
  readonly #folder: EntryFolder<Entry>;
  readonly #log: Context["log"];
  /** By id. */
  readonly #stored: ReadonlyMap<string, Entry>;

  /** @param storedBeside Those that the configured store has, beside the ids that are given. */
  constructor(
    { dataDir, log }: Pick<Context, "dataDir" | "log">,
    storedBeside: (own: ReadonlySet<string>) => readonly Entry[],
  ) {
    this.#folder = new EntryFolder(path.join(dataDir, "registry"), isEntry);
    this.#log = log;
    const stored = storedBeside(new Set(this.#folder.ids()));
    this.#stored = new Map(stored.map((entry) => [entry.id, entry]));
  }

  /** Replaces the entry of the same id as a whole, and returns when it is on disk. */
  write(entry: Entry): Entry {
    try {
      this.#folder.write(entry);
    } catch (error) {
      const hint = `Free some space in ${this.#folder.path}.`;
      throw new PluginError("STORE", `The registry cannot be written: ${messageOf(error)}.`, hint);
    }
    return entry;
  }

  /** Those that can be read. One that cannot affects only its own snapshot: the log has its name. */
  all(): Entry[] {
    return this.#ids().flatMap((id) => {
      const entry = this.#read(id);
      if (entry === undefined) this.#log.warn(`${this.fileOf(id)} is not an entry of a snapshot: it is skipped`);
      return entry ?? [];
    });
  }

  /** Those that only the store has. */
  stored(): Entry[] {
    return [...this.#stored.values()];
  }

  /** All that were cut for a set: none may be skipped. */
  ofSet(setId: string): Entry[] {
    const entries = this.idsOf(setId).map((id) => {
      const entry = this.#read(id);
      if (entry === undefined) throw this.unreadable(id);
      return entry;
    });
    return entries.filter(({ copy }) => copy === undefined);
  }

  /** The throw-away copies of a snapshot: at most one, and those that a crash left. */
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

  unreadable(id: string): PluginError {
    const hint = `Look for a folder ${id} in the stores. Remove it, and then ${this.fileOf(id)}.`;
    return new PluginError("STORE", `${this.fileOf(id)} is not an entry of a snapshot.`, hint);
  }

  /** For a store that no longer exists: nothing else says so. */
  get remedy(): string {
    return `If it no longer exists, remove the files of its snapshots from ${this.#folder.path}.`;
  }

  remove(id: string): void {
    this.#folder.remove(id);
  }

  fileOf(id: string): string {
    return this.#folder.fileOf(id);
  }

  #ids(): string[] {
    return [...this.#folder.ids(), ...this.#stored.keys()].toSorted();
  }

  #read(id: string): Entry | undefined {
    return this.#stored.get(id) ?? this.#folder.read(id);
  }
}

export function isEntry({ store, paths, mountPoint }: Entry): boolean {
  return path.isAbsolute(store) && Array.isArray(paths) && typeof mountPoint === "string";
}
