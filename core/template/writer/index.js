// A writer for programs that agree on a lock file: a program that changes the data makes the file first, waits while it exists, and
// removes it afterwards. So while this writer has the file, nothing changes.
import { link, readFile, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { codeOf, PluginError } from "#kit/plugin-error.js";

/** @typedef {{ data: string, lock: string }} Options */

/** The contents of the lock file while it is ours: from them, a new worker knows what to undo. */
const mark = (tx) => `holdstill ${tx.id}\n`;

/** @type {import("holdstill/plugin").Writer<Options>} */
const writer = {
  async identify({ options }) {
    // Nothing changes while the lock is ours, so a copy has the same value as a snapshot of one instant.
    return [{ name: "data", kind: "files", paths: [options.data], tolerates: "fuzzy" }];
  },

  async freeze(tx, { options, signal }) {
    while (!(await isTaken(options.lock, tx))) await sleep(10, undefined, { signal });
    return { since: new Date().toISOString() };
  },

  async thaw(tx, _token, { options }) {
    const uninterrupted = (await ownerOf(options.lock)) === mark(tx);
    if (!uninterrupted) return { uninterrupted, reason: `${options.lock} is not ours any more` };
    await rm(options.lock);
    return { uninterrupted };
  },

  async seal(tx, { options }) {
    const files = await readdir(options.data, { recursive: true });
    await writeFile(path.join(tx.sidecarDir, "files.txt"), `${files.toSorted().join("\n")}\n`);
    return { files: ["files.txt"], facts: { files: files.length } };
  },

  async abort(tx, _token, { options }) {
    await rm(draftOf(options.lock, tx), { force: true });
    if ((await ownerOf(options.lock)) === mark(tx)) await rm(options.lock, { force: true });
  },
};
export default writer;

/** Makes the lock file, which only one program can. It appears whole, so that a worker that is killed leaves no lock without an owner. */
async function isTaken(lock, tx) {
  const draft = draftOf(lock, tx);
  try {
    await writeFile(draft, mark(tx));
    await link(draft, lock);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    const hint = "The folder of the lock file must exist, and be writable for holdstill.";
    throw new PluginError("LOCK", `${lock} cannot be made: ${codeOf(error)}`, hint);
  } finally {
    await rm(draft, { force: true });
  }
}

const draftOf = (lock, tx) => `${lock}.${tx.id}`;

/** The contents of the lock file; null if it does not exist. */
async function ownerOf(lock) {
  try {
    return await readFile(lock, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}
