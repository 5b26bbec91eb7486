import {
  constants,
  copyFileSync,
  type Dirent,
  lstatSync,
  readdirSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import type { FolderHandle } from "#kit/folder-handle.js";
import { type PathHandle, RegularFile } from "#kit/path-handle.js";
import { pathUnsafe } from "#kit/path-refusal.js";
import { codeOf } from "#kit/plugin-error.js";
import { walk } from "#kit/walk.js";
import { readBeginning } from "./read-beginning.js";

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * A folder of a cluster, held open. It belongs to the server's user, who may change it, and often the folders above it, while holdstill
 * works in it as root. So no link leads to it that is not root's, each operation is relative to the open folder and follows no link, and
 * what is made, and nothing else, is given to the folder's owner.
 */
export class Folder {
  readonly #handle: FolderHandle;
  readonly owner: Owner;

  private constructor(handle: FolderHandle) {
    this.#handle = handle;
    const { uid, gid } = handle.status();
    this.owner = { uid, gid };
  }

  /** @throws PluginError PATH_UNSAFE where a link that is not root's, or no folder, is on the way; PATH_FAILED */
  static open(path: string): Folder {
    return new Folder(walk(path, { owners: "any" }));
  }

  /** What a path below the folder is called, as long as the folder is open. */
  at(name: string): string {
    return `${this.#handle.procPath}/${name}`;
  }

  /** What is there under that name; a link is a link. */
  kind(name: string): "none" | "folder" | "link" | "file" {
    const stat = lstatSync(this.at(name), { throwIfNoEntry: false });
    if (stat === undefined) return "none";
    return stat.isDirectory() ? "folder" : stat.isSymbolicLink() ? "link" : "file";
  }

  entries(): Dirent[] {
    return readdirSync(this.at("."), { withFileTypes: true });
  }

  /** A folder in it; made if there is none. */
  folder(name: string): Folder {
    if (this.kind(name) !== "none") return new Folder(this.#handle.open(name, { owners: "any" }));
    const made = this.#handle.mkdir(name);
    this.#own(made);
    return new Folder(made);
  }

  /** Removes a file or a link. One that is gone is a success. */
  remove(name: string): void {
    try {
      unlinkSync(this.at(name));
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw error;
    }
  }

  /** The beginning of a regular file below it, bytes. @throws ELOOP for a link, and an error for what is not a file. */
  read(name: string, bytes = 8192): Buffer {
    return readBeginning(this.at(name), bytes);
  }

  /** Gives a file another name; the one that has it is replaced. One that is gone is a success. */
  rename(from: string, to: string): void {
    try {
      renameSync(this.at(from), this.at(to));
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw error;
    }
  }

  /** Copies a file into it; there must be none of the name. */
  receive(file: string, name: string): void {
    using made = this.#handle.create(name);
    copyFileSync(file, made.procPath, constants.COPYFILE_FICLONE);
    this.#own(made);
  }

  /** Makes a file, or adds to one of the owner. @throws PluginError PATH_UNSAFE where it is another user's, or no regular file */
  write(name: string, how: "create" | "append", text: string): void {
    using file = how === "append" && this.kind(name) !== "none" ? this.#existing(name) : this.#created(name);
    writeFileSync(file.fd, text);
  }

  /** Makes a link, in place of what link is there. */
  link(name: string, target: string): void {
    this.remove(name);
    symlinkSync(target, this.at(name));
    using made = this.#handle.entry(name, { owners: "any" });
    const { type, uid } = made.status();
    if (type !== "symbolic link" || uid !== process.geteuid?.()) throw replaced(made, uid);
    this.#own(made);
  }

  close(): void {
    this.#handle[Symbol.dispose]();
  }

  #created(name: string): RegularFile {
    const made = this.#handle.create(name);
    this.#own(made);
    return made;
  }

  #existing(name: string): RegularFile {
    const file = RegularFile.of(this.#handle.entry(name, { owners: "any" }), constants.O_WRONLY | constants.O_APPEND);
    const { uid, links } = file.status();
    if (uid === this.owner.uid && links === 1) return file;
    file[Symbol.dispose]();
    throw replaced(file, uid);
  }

  /** By its descriptor: its name may be another file's by now, which the owner may not read. */
  #own(made: PathHandle): void {
    made.chown(this.owner.uid, this.owner.gid);
  }
}

function replaced({ path }: PathHandle, uid: number): Error {
  return pathUnsafe(path, uid, "another user put it there", `See what it is: ls -l ${path}`);
}
