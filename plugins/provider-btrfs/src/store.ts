import { lstatSync, mkdirSync, readdirSync, rmdirSync } from "node:fs";
import path from "node:path";
import { EntryFolder } from "#kit/entry-folder.js";
import { codeOf } from "#kit/plugin-error.js";
import { type Entry, isEntry } from "./entry.js";
import { PluginError } from "./errors.js";
import type { Top } from "./top.js";

/** At the top of each file system. Only root can enter it: snapshots are shown by mounts. */
export const STORE = ".holdstill-btrfs";
const ENTRIES = "entries";
/** How much of a file system's UUID is in the ids of its snapshots, characters. */
const UUID_PART = 8;

/** The folder of the snapshots on a file system: `entries/ID.json`, and `ID/` with the subvolumes. */
export class Store {
  readonly top: Top;
  readonly entries: EntryFolder<Entry>;

  private constructor(top: Top) {
    this.top = top;
    this.entries = new EntryFolder(top.at(STORE, ENTRIES), isEntry);
  }

  /** null: the file system has none. @throws PluginError UNSUPPORTED for one that another user could change */
  static find(top: Top): Store | null {
    const status = lstatSync(top.at(STORE), { throwIfNoEntry: false });
    if (status === undefined) return null;
    if (status.isDirectory() && status.uid === 0 && (status.mode & 0o077) === 0) return new Store(top);
    const message = `${STORE} at the top of ${top.fs.source} is not a folder of root alone.`;
    throw new PluginError("UNSUPPORTED", message, "See what it is, and rename it.");
  }

  static make(top: Top): Store {
    try {
      mkdirSync(top.at(STORE), { mode: 0o700 });
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
    }
    const store = Store.find(top);
    if (store === null) throw new PluginError("CHANGED", `${STORE} was removed meanwhile.`, "Run the command again.");
    return store;
  }

  all(): Entry[] {
    return this.entries.ids().flatMap((id) => this.entries.read(id) ?? []);
  }

  ofSet(setId: string): Entry[] {
    return this.all().filter((entry) => entry.setId === setId);
  }

  /** A new id in a set, which may be on several file systems. */
  nextId(setId: string): string {
    const ids = new Set(this.entries.ids());
    const begin = `${setId}.${this.top.fs.uuid.slice(0, UUID_PART)}`;
    for (let number = 0; ; number += 1) if (!ids.has(`${begin}.${number}`)) return `${begin}.${number}`;
  }

  /** From the top of the file system. */
  pathOf({ id }: Pick<Entry, "id">, name = ""): string {
    return path.join("/", STORE, id, name);
  }

  /** Writes the entry, and then makes its folder. */
  begin(entry: Entry): Entry {
    this.entries.write(entry);
    mkdirSync(this.top.at(this.pathOf(entry)), { mode: 0o700 });
    return entry;
  }

  write(entry: Entry): Entry {
    this.entries.write(entry);
    return entry;
  }

  /** What is in an entry's folder. */
  namesIn(entry: Pick<Entry, "id">): string[] {
    try {
      return readdirSync(this.top.at(this.pathOf(entry)));
    } catch (error) {
      if (codeOf(error) === "ENOENT") return [];
      throw error;
    }
  }

  /** Removes an entry whose folder is empty, and the store with its last one. */
  end(entry: Pick<Entry, "id">): void {
    removeFolder(this.top.at(this.pathOf(entry)), "required");
    this.entries.remove(entry.id);
    for (const folder of [this.entries.path, this.top.at(STORE)]) removeFolder(folder, "if empty");
  }
}

function removeFolder(folder: string, need: "required" | "if empty"): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT" || (need === "if empty" && code === "ENOTEMPTY")) return;
    throw error;
  }
}
