import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { readIfExists, removeDurably, writeDurably } from "./durable-file.js";

/** Entries in a folder, a JSON file each, so that one that cannot be read affects only itself. */
export class EntryFolder<Entry extends { readonly id: string }> {
  readonly path: string;
  readonly #isEntry: (value: Entry) => boolean;

  /** @param isEntry Whether what a file contains is an entry. That it has the file's id is checked here. */
  constructor(folder: string, isEntry: (value: Entry) => boolean) {
    this.path = folder;
    this.#isEntry = isEntry;
  }

  fileOf(id: string): string {
    return path.join(this.path, `${id}.json`);
  }

  /** The names of all files, also of those that cannot be read. */
  ids(): string[] {
    if (!existsSync(this.path)) return [];
    const files = readdirSync(this.path).filter((file) => file.endsWith(".json"));
    return files.map((file) => path.basename(file, ".json")).toSorted();
  }

  /** undefined: the file is not an entry, or cannot be read. */
  read(id: string): Entry | undefined {
    try {
      const value = JSON.parse(readIfExists(this.fileOf(id)) ?? "null") as Entry | null;
      return value !== null && value.id === id && this.#isEntry(value) ? value : undefined;
    } catch {
      return undefined;
    }
  }

  /** Replaces the entry of the same id as a whole, and returns when it is on disk. */
  write(entry: Entry): void {
    writeDurably(this.fileOf(entry.id), `${JSON.stringify(entry, null, 2)}\n`);
  }

  /** Idempotent. */
  remove(id: string): void {
    removeDurably(this.fileOf(id));
  }
}
