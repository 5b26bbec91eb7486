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
import type { Context } from "holdstill/plugin";
import type { Entry } from "./entry.js";
import { reasonOf, Refusal } from "./errors.js";

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
