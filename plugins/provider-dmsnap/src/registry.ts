import path from "node:path";
import type { Context } from "holdstill/plugin";
import { EntryFolder } from "#kit/entry-folder.js";
import { messageOf } from "#kit/plugin-error.js";
import type { Entry } from "./entry.js";
import { PluginError } from "./errors.js";

const ID = /^[A-Za-z0-9][A-Za-z0-9_-]*\.[0-9]+$/;

/** The entries of one instance, in its data folder. */
export class Registry {
  readonly #folder: EntryFolder<Entry>;

  constructor({ dataDir }: Pick<Context, "dataDir">) {
    this.#folder = new EntryFolder(path.join(dataDir, "registry"), ({ version }) => version === 1);
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

  /** All of them: one that cannot be read may have taken space that must not be given away. */
  all(): Entry[] {
    return this.ids().map((id) => this.#read(id));
  }

  /** Those that can be read; `warn` gets a message for each of the others. */
  readable(warn: (message: string) => void): Entry[] {
    return this.ids().flatMap((id) => {
      try {
        return [this.#read(id)];
      } catch (error) {
        warn(messageOf(error));
        return [];
      }
    });
  }

  ofSet(setId: string): Entry[] {
    return this.ids()
      .filter((id) => id.slice(0, id.lastIndexOf(".")) === setId)
      .map((id) => this.#read(id));
  }

  find(id: string): Entry | undefined {
    return this.ids().includes(id) ? this.#read(id) : undefined;
  }

  /** For a store that no longer exists: nothing else says so. */
  get remedy(): string {
    return `If it no longer exists, remove the files of its snapshots from ${this.#folder.path}.`;
  }

  remove(id: string): void {
    this.#folder.remove(id);
  }

  /** Also of those that cannot be read. */
  ids(): string[] {
    return this.#folder.ids().filter((id) => ID.test(id));
  }

  #read(id: string): Entry {
    const entry = this.#folder.read(id);
    if (entry !== undefined) return entry;
    const hint = "Restore the file from a backup. `dmsetup info -c` has what device-mapper knows of the snapshot.";
    throw new PluginError("STORE", `${this.#folder.fileOf(id)} is not an entry of a snapshot.`, hint);
  }
}
