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
import type { Context, View } from "holdstill/plugin";
import { reasonOf, Refusal } from "./refusal.js";
import type { Store } from "./store.js";

/** What we know of one snapshot. Written, and on disk, before anything is made, so that a blank process finds it all. */
export interface Entry {
  readonly version: 1;
  /** Snapshot.id: the set's id, a dot, and the number of the volume in the set. */
  readonly id: string;
  readonly setId: string;
  /** Id of the snapshot that this one is a fork of. */
  readonly of?: string;
  readonly volumeId: string;
  readonly fsType: string;
  readonly paths: readonly string[];
  /** The same inside the file system, relative to its root. */
  readonly inner: readonly string[];
  readonly origin: Origin;
  readonly store: Store;
  readonly exceptions: "persistent" | "transient";
  /** planned: may be there in parts. sealed: whole. reverting: on its way back into the origin. */
  readonly state: "planned" | "sealed" | "reverting";
  readonly createdAt: string;
  /** /proc/sys/kernel/random/boot_id of when it was cut: device-mapper forgets its tables with each. */
  readonly bootId: string;
  /** What only a mount, a check or a repair of the origin changes, see generation.ts; null where there is no such thing. */
  readonly generation: string | null;
  /** How it is shown now, and where the throw-away layer's data lie. */
  readonly shown?: { readonly view: View; readonly layer: Store | null };
}

export interface Origin {
  readonly name: string;
  readonly uuid: string;
  readonly sectors: number;
}

const ID = /^[A-Za-z0-9][A-Za-z0-9_-]*\.[0-9]+$/;

/** The entries of one instance, a JSON file each in its data folder. */
export class Registry {
  readonly #dir: string;

  constructor({ dataDir }: Pick<Context, "dataDir">) {
    this.#dir = path.join(dataDir, "registry");
  }

  /** Replaces the entry of the same id as a whole, and returns when it is on disk. */
  write(entry: Entry): Entry {
    const file = this.fileOf(entry.id);
    const draft = `${file}.draft`;
    try {
      mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
      writeDown(draft, `${JSON.stringify(entry, null, 2)}\n`);
      renameSync(draft, file);
      syncFolder(this.#dir);
    } catch (error) {
      rmSync(draft, { force: true });
      const hint = `Make room in ${this.#dir}.`;
      throw new Refusal("STORE", `The registry cannot be written: ${reasonOf(error)}.`, hint);
    }
    return entry;
  }

  /** All of them: one that cannot be read may have taken room that must not be given away. */
  all(): Entry[] {
    return this.#ids().map((id) => this.#read(id));
  }

  /** Those that can be read; the others are told. */
  readable(tell: (complaint: string) => void): Entry[] {
    return this.#ids().flatMap((id) => {
      try {
        return [this.#read(id)];
      } catch (error) {
        tell(reasonOf(error));
        return [];
      }
    });
  }

  ofSet(setId: string): Entry[] {
    return this.#ids()
      .filter((id) => id.slice(0, id.lastIndexOf(".")) === setId)
      .map((id) => this.#read(id));
  }

  find(id: string): Entry | undefined {
    return this.#ids().includes(id) ? this.#read(id) : undefined;
  }

  forget(id: string): void {
    for (const file of [this.fileOf(id), `${this.fileOf(id)}.draft`]) rmSync(file, { force: true });
    if (existsSync(this.#dir)) syncFolder(this.#dir);
  }

  fileOf(id: string): string {
    return path.join(this.#dir, `${id}.json`);
  }

  #ids(): string[] {
    if (!existsSync(this.#dir)) return [];
    const files = readdirSync(this.#dir).filter((file) => file.endsWith(".json"));
    return files
      .map((file) => path.basename(file, ".json"))
      .filter((id) => ID.test(id))
      .toSorted();
  }

  #read(id: string): Entry {
    try {
      const entry = JSON.parse(readFileSync(this.fileOf(id), "utf8")) as Entry;
      if (entry.id === id && entry.version === 1) return entry;
    } catch {
      // Told below.
    }
    const hint = "Put the file back from a backup; what device-mapper knows of it is in `dmsetup info -c`.";
    throw new Refusal("STORE", `${this.fileOf(id)} is no entry of a snapshot.`, hint);
  }
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
