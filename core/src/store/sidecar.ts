import { createHash } from "node:crypto";
import { createReadStream, lstatSync, realpathSync } from "node:fs";
import { open } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { syncDir } from "./state-directory.js";
import type { Who } from "../base/errors/details.js";
import { HoldstillError } from "../base/errors/error.js";
import type { RecordedSidecar, Sidecar } from "../base/schema/types.js";
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

  /** See `keepSidecar`. */
  keep(dir: string, sidecar: Sidecar, who: Who, signal: AbortSignal): Promise<RecordedSidecar> {
    return keepSidecar(dir, sidecar, who, signal, this.#gate);
  }
}

/**
 * Checks that every file of the sidecar exists, brings it to disk, and takes its checksum. Ends when `signal` is aborted, even if the
 * disk does not respond.
 *
 * @throws HoldstillError E_ANSWER_INVALID for a file that is missing, is not a plain file, or lies behind a symbolic link; and the
 * signal's reason.
 */
export async function keepSidecar(
  dir: string,
  { files }: Sidecar,
  who: Who,
  signal: AbortSignal,
  gate = new WriteGate(),
): Promise<RecordedSidecar> {
  const findings = files
    .filter((file) => !isPlainFile(dir, file))
    .map((file) => ({
      file: dir,
      pointer: `/files/${files.indexOf(file)}`,
      seen: file,
      expected: "a plain file in tx.sidecarDir",
    }));
  if (findings.length > 0) throw new HoldstillError("E_ANSWER_INVALID", { who, op: "seal", findings });
  const kept = [];
  for (const file of files) {
    const whole = path.join(dir, file);
    kept.push({ path: file, bytes: lstatSync(whole).size, sha256: await checksum(whole, signal) });
  }
  // Up to the set's own folder, so that a durable record never lacks its files.
  const folders = new Set([path.dirname(path.dirname(dir)), path.dirname(dir), dir]);
  for (const file of files) {
    for (let at = path.dirname(file); at !== "."; at = path.dirname(at)) folders.add(path.join(dir, at));
  }
  await gate.write(() => {
    for (const folder of folders) syncDir(folder);
  });
  return { dir, files: kept };
}

async function checksum(file: string, signal: AbortSignal): Promise<string> {
  await unless(signal, synced(file));
  const hash = createHash("sha256");
  await unless(signal, pipeline(createReadStream(file), hash, { signal }));
  return hash.digest("hex");
}

async function synced(file: string): Promise<void> {
  const handle = await open(file, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
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

function isPlainFile(dir: string, file: string): boolean {
  const whole = path.join(dir, file);
  try {
    return lstatSync(whole).isFile() && realpathSync(whole) === path.join(realpathSync(dir), file);
  } catch {
    return false;
  }
}
