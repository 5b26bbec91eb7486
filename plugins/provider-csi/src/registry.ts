import path from "node:path";
import type { Context } from "holdstill/plugin";
import { EntryFolder } from "#kit/entry-folder.js";
import { messageOf } from "#kit/plugin-error.js";
import type { Entry } from "./entry.js";
import { PluginError } from "./errors.js";

const ID = /^[A-Za-z0-9][A-Za-z0-9_-]*\.[0-9]+$/;

/** The entries of one instance, in its data folder: a driver does not tell the names of its snapshots. */
export class Registry {
  readonly #folder: EntryFolder<Entry>;

  constructor({ dataDir }: Pick<Context, "dataDir">) {
    this.#folder = new EntryFolder(path.join(dataDir, "registry"), ({ version }) => version === 1);
  }

  /** Replaces the entry of the same id, and returns when it is on disk. @throws PluginError STORE */
  write(entry: Entry): Entry {
    try {
      this.#folder.write(entry);
    } catch (error) {
      const message = `The registry cannot be written: ${messageOf(error)}.`;
      throw new PluginError("STORE", message, `Free some space in ${this.#folder.path}.`);
    }
    return entry;
  }

  /** @throws PluginError STORE if one of them cannot be read: what it names would be missing without a word. */
  all(): Entry[] {
    return this.#ids().map((id) => this.#read(id));
  }

  /** Of a set; snapshots before their forks. */
  ofSet(setId: string): Entry[] {
    return this.#ids()
      .filter((id) => id.slice(0, id.lastIndexOf(".")) === setId)
      .map((id) => this.#read(id));
  }

  find(id: string): Entry | undefined {
    return this.#ids().includes(id) ? this.#read(id) : undefined;
  }

  remove(id: string): void {
    this.#folder.remove(id);
  }

  #ids(): string[] {
    return this.#folder.ids().filter((id) => ID.test(id));
  }

  #read(id: string): Entry {
    const entry = this.#folder.read(id);
    if (entry !== undefined) return entry;
    const message = `${this.#folder.fileOf(id)} is not an entry of a snapshot.`;
    throw new PluginError("STORE", message, "Restore the file from a backup.");
  }
}
