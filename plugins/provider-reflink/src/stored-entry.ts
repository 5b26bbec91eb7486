import path from "node:path";
import type { Context } from "holdstill/plugin";
import { writeDurably } from "#kit/durable-file.js";
import type { FolderHandle } from "#kit/folder-handle.js";
import { openStore } from "./folder.js";
import { type Options, resolve } from "./place.js";
import { type Entry, folderOf, isEntry, isId, Registry } from "./registry.js";

/** In a snapshot's folder, beside the trees, where no other user can enter. */
const FILE = "entry.json";
/** Of that file, bytes: it names what was not captured. */
const LARGEST = 16 * 1024 * 1024;

/** Leaves the entry with the snapshot, so that it is found if the registry is lost. */
export function leaveEntry(entry: Entry): Entry {
  writeDurably(path.join(folderOf(entry), FILE), `${JSON.stringify(entry, null, 2)}\n`);
  return entry;
}

/** The registry, with what only the configured store has. */
export function registryOf(ctx: Context<Options>): Registry {
  const { store } = ctx.options;
  return new Registry(ctx, (own) => (store === undefined ? [] : entriesIn(resolve(store), own)));
}

/** Beside those that are known. None of a store that is not there, or that another user could change. */
function entriesIn(store: string, known: ReadonlySet<string>): Entry[] {
  try {
    using folder = openStore(store);
    return folder
      .list()
      .filter((name) => typeof name === "string")
      .filter((name) => isId(name) && !known.has(name))
      .flatMap((name) => entryIn(folder, store, name));
  } catch {
    return [];
  }
}

function entryIn(within: FolderHandle, store: string, id: string): Entry[] {
  try {
    using folder = within.open(id);
    using file = folder.file(FILE);
    const entry = JSON.parse(file.read(LARGEST).toString()) as Entry | null;
    // The store may have another path by now.
    return entry !== null && entry.id === id && isEntry(entry) ? [{ ...entry, store }] : [];
  } catch {
    return [];
  }
}
