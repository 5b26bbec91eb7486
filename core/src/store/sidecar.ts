import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, fsync as fsyncOf } from "node:fs";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { syncDir } from "./state-directory.js";
import type { Who } from "../base/errors/details.js";
import { HoldstillError, isHoldstillError } from "../base/errors/error.js";
import type { RecordedSidecar, Sidecar } from "../base/schema/types.js";
import { readAccounts } from "../base/trust/accounts.js";
import type { FolderHandle } from "../os/path/folder.js";
import type { RegularFile } from "../os/path/handle.js";
import { walk } from "../os/path/walk.js";
import type { Catalog } from "./catalog.js";
import { WriteGate } from "./write-gate.js";

/** The files that writers keep with a set. */
export class Sidecars {
  readonly #catalog: Catalog;
  readonly #gate: WriteGate;

  constructor(catalog: Catalog, gate: WriteGate) {
    this.#catalog = catalog;
    this.#gate = gate;
  }

  /** Where a writer's files of a set lie. */
  folder(set: string, writer: string): string {
    return this.#catalog.sidecarDir(set, writer);
  }

  /** What is in a file of them. */
  contentOf(file: RegularFile): AsyncIterable<Uint8Array> {
    return createReadStream("", { fd: file.fd, autoClose: false, start: 0 });
  }

  /** Writes a file that another host has sent. @throws HoldstillError E_PATH_UNSAFE where its path leads out; E_PATH_FAILED */
  async receive(set: string, writer: string, file: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    using folder = walk(this.folder(set, writer), { accounts: await readAccounts() });
    const [name = "", ...above] = file.split("/").toReversed();
    const opened = [folder];
    try {
      for (const part of above.toReversed()) opened.push((opened.at(-1) ?? folder).openOrMake(part));
      using made = (opened.at(-1) ?? folder).create(name);
      await pipeline(content, createWriteStream("", { fd: made.fd, autoClose: false }));
    } finally {
      for (const one of opened.slice(1)) one[Symbol.dispose]();
    }
  }

  /** See `keepSidecar`. */
  keep(dir: string, sidecar: Sidecar, who: Who, signal: AbortSignal): Promise<RecordedSidecar> {
    return keepSidecar(dir, sidecar, who, signal, this.#gate);
  }
}

/**
 * Checks that every file of the sidecar exists, brings it to disk, and takes its checksum: all of one descriptor, so what was checked is what
 * is recorded. Ends when `signal` is aborted, even if the disk does not respond.
 *
 * @throws HoldstillError E_ANSWER_INVALID for a file that is missing, is not a plain file, or lies behind a symbolic link; E_PATH_UNSAFE,
 * E_PATH_FAILED; and the signal's reason.
 */
export async function keepSidecar(
  dir: string,
  { files }: Sidecar,
  who: Who,
  signal: AbortSignal,
  gate = new WriteGate(),
): Promise<RecordedSidecar> {
  using folder = walk(dir, { accounts: await readAccounts() });
  const findings = files.flatMap((file, at) =>
    isPlainFile(folder, file)
      ? []
      : [{ file: dir, pointer: `/files/${at}`, seen: file, expected: "a plain file in tx.sidecarDir" }],
  );
  if (findings.length > 0) throw new HoldstillError("E_ANSWER_INVALID", { who, op: "seal", findings });
  const kept = [];
  for (const name of files) {
    using file = open(folder, name);
    await unless(signal, fsync(file.fd));
    const { size: bytes } = file.status();
    kept.push({ path: name, bytes, sha256: await checksum(file, signal) });
  }
  await gate.write(() => syncFolders(folder, files));
  return { dir, files: kept };
}

/** Up to the set's own folder, so that a durable record never lacks its files. */
function syncFolders(folder: FolderHandle, files: readonly string[]): void {
  const inner = new Set(files.flatMap((file) => foldersAbove(path.normalize(file))));
  for (const relative of inner) {
    using one = folder.open(relative, { owners: "any" });
    one.sync();
  }
  folder.sync();
  for (const above of [path.dirname(folder.path), path.dirname(path.dirname(folder.path))]) syncDir(above);
}

const foldersAbove = (file: string): string[] => {
  const above = path.dirname(file);
  return above === "." ? [] : [above, ...foldersAbove(above)];
};

const fsync = promisify(fsyncOf);

async function checksum(file: RegularFile, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  const content = createReadStream("", { fd: file.fd, autoClose: false, start: 0 });
  await unless(signal, pipeline(content, hash, { signal }));
  return hash.digest("hex");
}

/** What hangs in the kernel cannot be ended: the caller stops waiting for it. */
function unless<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = (): void => reject(signal.reason as Error);
    if (signal.aborted) end();
    signal.addEventListener("abort", end, { once: true });
    void work.then(resolve, reject).finally(() => signal.removeEventListener("abort", end));
  });
}

/** No part of it may be a link, or lead out. */
const open = (folder: FolderHandle, file: string): RegularFile => folder.file(path.normalize(file), { owners: "any" });

function isPlainFile(folder: FolderHandle, file: string): boolean {
  try {
    open(folder, file)[Symbol.dispose]();
    return true;
  } catch (error) {
    if (isHoldstillError(error)) return false;
    throw error;
  }
}
