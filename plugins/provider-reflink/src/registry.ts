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
  writeSync,
} from "node:fs";
import path from "node:path";
import type { Snapshot } from "holdstill/plugin";

/** What we know of one snapshot. Written before anything is made in the store, so that a blank process finds it all. */
export interface Entry {
  readonly version: 1;
  /** Snapshot.id: the set's id, a dot, and the number of the volume in the set. Also the name of its folder in the store. */
  readonly id: string;
  readonly setId: string;
  readonly volumeId: string;
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

export function folderOf(entry: Entry): string {
  return path.join(entry.store, entry.id);
}

export function toSnapshot(entry: Entry): Snapshot {
  const { id, setId, volumeId, createdAt, method, bytes } = entry;
  const facts = { ...entry.facts, state: entry.state, path: folderOf(entry), paths: entry.paths };
  return { id, setId, volumeId, createdAt, method, facts, ...(bytes === undefined ? {} : { bytes }) };
}

/** The entries of one instance, a JSON file each in its data folder. */
export class Registry {
  readonly #dir: string;

  constructor(dataDir: string) {
    this.#dir = path.join(dataDir, "registry");
  }

  /** Replaces the entry of the same id as a whole, and returns when it is on disk. */
  write(entry: Entry): Entry {
    mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
    const draft = `${this.fileOf(entry.id)}.draft`;
    const fd = openSync(draft, "w", 0o600);
    try {
      writeSync(fd, `${JSON.stringify(entry, null, 2)}\n`);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(draft, this.fileOf(entry.id));
    syncFolder(this.#dir);
    return entry;
  }

  all(): Entry[] {
    if (!existsSync(this.#dir)) return [];
    return readdirSync(this.#dir)
      .filter((file) => file.endsWith(".json"))
      .toSorted()
      .map((file) => JSON.parse(readFileSync(path.join(this.#dir, file), "utf8")) as Entry);
  }

  ofSet(setId: string): Entry[] {
    return this.all().filter((entry) => entry.setId === setId);
  }

  find(id: string): Entry | undefined {
    return this.all().find((entry) => entry.id === id);
  }

  forget(id: string): void {
    rmSync(this.fileOf(id), { force: true });
  }

  fileOf(id: string): string {
    return path.join(this.#dir, `${id}.json`);
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
