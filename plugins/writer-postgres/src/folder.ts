import {
  closeSync,
  constants,
  copyFileSync,
  type Dirent,
  fchownSync,
  fstatSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { codeOf } from "#kit/plugin-error.js";

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * A folder of a snapshot, held open. The snapshot belongs to the server's user, who may change it while holdstill works in it as root. So
 * each operation is relative to the open folder and follows no link, and what is made belongs to the folder's owner.
 */
export class Folder {
  readonly #fd: number;
  readonly owner: Owner;

  private constructor(fd: number) {
    this.#fd = fd;
    const { uid, gid } = fstatSync(fd);
    this.owner = { uid, gid };
  }

  /** @throws ELOOP or ENOTDIR where a link, or no folder, is. */
  static open(path: string): Folder {
    return new Folder(openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW));
  }

  /** What a path below the folder is called, as long as the folder is open. */
  at(name: string): string {
    return `/proc/self/fd/${this.#fd}/${name}`;
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
    if (this.kind(name) === "none") {
      mkdirSync(this.at(name), { mode: 0o700 });
      this.#own(name);
    }
    return Folder.open(this.at(name));
  }

  /** Removes a file or a link. One that is gone is a success. */
  remove(name: string): void {
    try {
      unlinkSync(this.at(name));
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw error;
    }
  }

  /** Copies a file into it; there must be none of the name. */
  receive(file: string, name: string): void {
    copyFileSync(file, this.at(name), constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    this.#own(name);
  }

  /** Makes a file, or adds to one. */
  write(name: string, how: "create" | "append", text: string): void {
    const flag = { create: constants.O_EXCL, append: constants.O_APPEND }[how];
    const fd = openSync(this.at(name), constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW | flag, 0o600);
    try {
      fchownSync(fd, this.owner.uid, this.owner.gid);
      writeFileSync(fd, text);
    } finally {
      closeSync(fd);
    }
  }

  /** Makes a link, in place of what link is there. */
  link(name: string, target: string): void {
    this.remove(name);
    symlinkSync(target, this.at(name));
    this.#own(name);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #own(name: string): void {
    lchownSync(this.at(name), this.owner.uid, this.owner.gid);
  }
}
