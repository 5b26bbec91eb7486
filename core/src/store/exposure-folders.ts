import path from "node:path";
import { isHoldstillError } from "../base/errors/error.js";
import type { ExposedDevice } from "../base/schema/types.js";
import { readAccountsNow } from "../base/trust/accounts.js";
import { isAbsence } from "../os/path/refusal.js";
import { walk, walkTo } from "../os/path/walk.js";
import { WriteGate } from "./write-gate.js";

/** Other users may pass through, and not list it. */
const MODE = 0o711;

/** The folders below `exposeDir` at which providers show snapshots, and the folder at which `run` mounts them. */
export class ExposureFolders {
  readonly root: string;
  readonly #gate: WriteGate;

  constructor(root: string, gate = new WriteGate()) {
    this.root = root;
    this.#gate = gate;
  }

  /** The folder of one set, or one below it; `root` is that of `run`. */
  of(set: string, ...names: readonly string[]): string {
    return path.join(this.root, set, ...names);
  }

  /** @throws HoldstillError E_PATH_UNSAFE where another user could put something else in its place; E_PATH_FAILED */
  async make(folder: string): Promise<void> {
    await this.#gate.write(() => {
      let at = walk(this.root, { missing: MODE, accounts: readAccountsNow() });
      try {
        for (const name of this.#namesOf(folder)) {
          using above = at;
          at = above.openOrMake(name, MODE);
        }
      } finally {
        at[Symbol.dispose]();
      }
    });
  }

  /** Who may pass through the folder of a set, beside this process's user: all other users, one group, or none. */
  async admit(set: string, { gid, mode }: { readonly gid: number; readonly mode: number }): Promise<void> {
    await this.#gate.write(() => {
      using root = walk(this.root, { accounts: readAccountsNow() });
      using folder = root.open(set);
      // An ordinary user cannot give the folder to any group.
      const isRoot = process.geteuid?.() === 0;
      if (isRoot) folder.chown(0, gid);
      folder.chmod(isRoot || gid === 0 ? mode : mode & 0o701);
    });
  }

  /**
   * Who may open the device with the contents of a raw device: root, and the group of the original if that may.
   *
   * @throws HoldstillError E_PATH_UNSAFE where another user could put something else in its place; E_PATH_FAILED
   */
  async admitToDevice({ original, path: node }: ExposedDevice, access: "read-only" | "writable"): Promise<void> {
    const { gid, mode } = accessOf(original);
    await this.#gate.write(() => {
      using device = walkTo(node, { accounts: readAccountsNow() });
      device.chown(0, gid);
      device.chmod(access === "read-only" ? 0o400 | (mode & 0o040) : 0o600 | (mode & 0o060));
    });
  }

  /** Removes the folder, and the set's folder with its last one. A folder that is not empty is still in use, and stays. */
  async remove(folder: string): Promise<void> {
    await this.#gate.write(() => {
      const [set, name] = this.#namesOf(folder);
      if (set === undefined) return;
      try {
        using root = walk(this.root, { accounts: readAccountsNow() });
        if (name !== undefined) {
          using inner = root.open(set);
          inner.rmdir(name);
        }
        root.rmdir(set);
      } catch (error) {
        if (!isHoldstillError(error)) throw error;
      }
    });
  }

  /** Removes the folders of a set whose transaction died in a repair. One that is not empty stays, as in {@link remove}. */
  async removeAllOf(set: string): Promise<void> {
    for (const name of this.#foldersOf(set)) await this.remove(this.of(set, name));
  }

  #foldersOf(set: string): string[] {
    try {
      using root = walk(this.root, { accounts: readAccountsNow() });
      using folder = root.open(set);
      return folder.list().map((name) => name.toString());
    } catch (error) {
      if (isHoldstillError(error)) return [];
      throw error;
    }
  }

  #namesOf(folder: string): string[] {
    return path.relative(this.root, folder).split("/");
  }
}

/** Root alone, if the device does not exist any more. */
function accessOf(device: string): { readonly gid: number; readonly mode: number } {
  try {
    using found = walkTo(device, { accounts: readAccountsNow() });
    return found.status();
  } catch (error) {
    if (isAbsence(error)) return { gid: 0, mode: 0 };
    throw error;
  }
}
