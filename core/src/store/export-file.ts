import { createWriteStream } from "node:fs";
import path from "node:path";
import type { Writable } from "node:stream";
import { HoldstillError } from "../base/errors/error.js";
import { readAccountsNow } from "../base/trust/accounts.js";
import type { FolderHandle } from "../os/path/folder.js";
import type { RegularFile } from "../os/path/handle.js";
import { walk } from "../os/path/walk.js";

/** The file that an export is written to. It has its name only when it is whole and on disk. */
export class ExportFile implements Disposable {
  readonly output: Writable;
  readonly #folder: FolderHandle;
  readonly #name: string;
  readonly #draft: RegularFile;

  private constructor(folder: FolderHandle, name: string) {
    this.#folder = folder;
    this.#name = name;
    // What an export that was killed has left.
    folder.unlink(draftOf(name));
    this.#draft = folder.create(draftOf(name));
    this.output = createWriteStream("", { fd: this.#draft.fd, autoClose: false });
  }

  /**
   * @param named A new file, or a folder, in which the file is then `ID.holdstill`.
   * @throws HoldstillError E_USAGE if it exists; E_PATH_UNSAFE where another user could put something else in its place; E_PATH_FAILED
   */
  static create(named: string, set: string): ExportFile {
    const whole = path.resolve(named);
    const folder = whole === "/" ? null : existing(whole);
    if (folder !== null) return new ExportFile(folder, refuseTaken(folder, `${set}.holdstill`));
    const parent = walk(path.dirname(whole), { accounts: readAccountsNow() });
    return new ExportFile(parent, refuseTaken(parent, path.basename(whole)));
  }

  get path(): string {
    return path.join(this.#folder.path, this.#name);
  }

  /** It is whole: it is brought to disk, and gets its name. */
  keep(): void {
    this.#draft.sync();
    this.#folder.renameTo(draftOf(this.#name), this.#folder, this.#name, "new", this.#draft.status());
    this.#folder.sync();
  }

  discard(): void {
    this.#folder.unlink(draftOf(this.#name));
  }

  [Symbol.dispose](): void {
    this.#draft[Symbol.dispose]();
    this.#folder[Symbol.dispose]();
  }
}

const draftOf = (name: string): string => `.${name}.partial`;

/** null: it is not a folder. */
function existing(whole: string): FolderHandle | null {
  using parent = walk(path.dirname(whole), { accounts: readAccountsNow() });
  return parent.find(path.basename(whole))?.type === "folder" ? walk(whole, { accounts: readAccountsNow() }) : null;
}

function refuseTaken(folder: FolderHandle, name: string): string {
  if (folder.find(name) === null) return name;
  const problem = `${path.join(folder.path, name)} exists already.`;
  folder[Symbol.dispose]();
  throw new HoldstillError("E_USAGE", { problem, hint: "Name another file, or remove it." });
}
