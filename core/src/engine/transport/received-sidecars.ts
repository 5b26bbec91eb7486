import { HoldstillError } from "../../base/errors/error.js";
import type { RecordedWriter, SnapshotSet } from "../../base/schema/types.js";
import type { Sidecars } from "../../store/sidecar.js";

/**
 * Brings the writers' files to disk, and compares each with its checksum in the record.
 *
 * @returns The writers with the files at their place on this host.
 * @throws HoldstillError E_EXPORT_DAMAGED
 */
export async function keepSidecars(
  sidecars: Sidecars,
  { id, writers }: SnapshotSet,
  file: string,
  signal: AbortSignal,
): Promise<RecordedWriter[]> {
  const kept: RecordedWriter[] = [];
  for (const writer of writers) {
    const { by, sidecar } = writer;
    if (sidecar === undefined) {
      kept.push(writer);
      continue;
    }
    const dir = sidecars.folder(id, by.instance);
    const who = { role: "writer", ...by } as const;
    const seen = await sidecars.keep(dir, { files: sidecar.files.map((one) => one.path) }, who, signal);
    for (const [at, { path, bytes, sha256 }] of sidecar.files.entries()) {
      const now = seen.files[at];
      if (now?.bytes === bytes && now.sha256 === sha256) continue;
      const reason = `the file ${path} of writer ${by.instance} is not the one that the record has`;
      throw new HoldstillError("E_EXPORT_DAMAGED", { file, reason });
    }
    kept.push({ ...writer, sidecar: seen });
  }
  return kept;
}
