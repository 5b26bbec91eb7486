import path from "node:path";
import type { Context, Snapshot } from "holdstill/plugin";
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

/** The entries of one instance, in its data folder. */
export class Registry {
  readonly #folder: EntryFolder<Entry>;
  readonly #log: Context["log"];

  constructor({ dataDir, log }: Pick<Context, "dataDir" | "log">) {
    this.#folder = new EntryFolder(path.join(dataDir, "registry"), isEntry);
    this.#log = log;
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
    return this.#folder.ids().flatMap((id) => {
      const entry = this.#folder.read(id);
      if (entry === undefined) this.#log.warn(`${this.fileOf(id)} is not an entry of a snapshot: it is skipped`);
      return entry ?? [];
    });
  }

  /** All that were cut for a set: none may be skipped. */
  ofSet(setId: string): Entry[] {
    const entries = this.idsOf(setId).map((id) => {
      const entry = this.#folder.read(id);
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
    return this.#folder.ids().filter((id) => id.slice(0, id.lastIndexOf(".")) === setId);
  }

  find(id: string): Entry | "unreadable" | undefined {
    return this.#folder.ids().includes(id) ? (this.#folder.read(id) ?? "unreadable") : undefined;
  }

  unreadable(id: string): PluginError {
    const hint = `Look for a folder ${id} in the stores. Remove it, and then ${this.fileOf(id)}.`;
    return new PluginError("STORE", `${this.fileOf(id)} is not an entry of a snapshot.`, hint);
  }

  remove(id: string): void {
    this.#folder.remove(id);
  }

  fileOf(id: string): string {
    return this.#folder.fileOf(id);
  }
}

function isEntry({ store, paths }: Entry): boolean {
  return path.isAbsolute(store) && Array.isArray(paths);
}
