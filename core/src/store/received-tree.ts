import path from "node:path";
import type { ExportedContents } from "../base/schema/types.js";
import { readAccountsNow } from "../base/trust/accounts.js";
import { type Unpacking, unpackTree } from "../os/exec/tree-archive.js";
import type { FolderHandle } from "../os/path/folder.js";
import { walk } from "../os/path/walk.js";

/** For a folder above a captured path whose owner is not known. */
const UNKNOWN = 0o711;

/**
 * One captured path of another host, which is put into a place of a provider, below its original path. Whatever the archive has in it, nothing
 * is written outside of a folder that was empty before.
 */
export class ReceivedTree {
  readonly #unpacking: Unpacking;
  readonly #handles: FolderHandle[];

  /** @param place The folder that the provider has made. @throws HoldstillError E_PATH_UNSAFE, E_PATH_FAILED */
  constructor(place: string, { original, form, above }: ExportedContents, signal: AbortSignal) {
    const top = walk(place, { accounts: readAccountsNow() });
    this.#handles = [top];
    try {
      let folder = top;
      for (const name of namesOf(path.dirname(original))) {
        folder = this.#made(folder, name, above);
        this.#handles.push(folder);
      }
      const name = path.basename(original);
      // The archive of a folder has its owner and mode. That of a file has the file, by its name.
      if (form === "folder" && name !== "") {
        folder = folder.mkdir(name);
        this.#handles.push(folder);
      }
      this.#unpacking = unpackTree(folder, signal);
    } catch (error) {
      this.#close();
      throw error;
    }
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#unpacking.write(chunk);
  }

  /** @throws an ordinary error if it is not the archive of one path */
  async end(): Promise<void> {
    try {
      await this.#unpacking.end();
    } finally {
      this.#close();
    }
  }

  async stop(): Promise<void> {
    await this.#unpacking.stop();
    this.#close();
  }

  #made(folder: FolderHandle, name: string, above: ExportedContents["above"]): FolderHandle {
    if (folder.find(name) !== null) return folder.open(name, { owners: "any" });
    const made = folder.mkdir(name);
    const known = above.find((one) => one.path === originalOf(folder, name, this.#handles));
    if (process.geteuid?.() === 0 && known !== undefined) made.chown(known.uid, known.gid);
    made.chmod(known?.mode ?? UNKNOWN);
    return made;
  }

  #close(): void {
    for (const handle of this.#handles.splice(0)) handle[Symbol.dispose]();
  }
}

const namesOf = (folder: string): string[] => folder.split("/").filter((name) => name !== "");

function originalOf(folder: FolderHandle, name: string, [top]: readonly FolderHandle[]): string {
  return path.join("/", path.relative(top?.path ?? "/", folder.path), name);
}
