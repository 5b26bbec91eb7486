import { HoldstillError, isHoldstillError } from "../../base/errors/error.js";
import type { ExportHeader, RecordedSidecar, SnapshotSet } from "../../base/schema/types.js";
import { isNewer, validateOpenly } from "../../base/schema/validate.js";
import { ReceivedTree } from "../../store/received-tree.js";
import type { Sidecars } from "../../store/sidecar.js";
import { type ArchiveEntry, type ArchiveReader, PART_BYTES } from "./archive.js";
import { headerFile, partOf, sidecarName } from "./names.js";

/** The largest header, bytes. */
const LARGEST_HEADER = 64 * 1024 * 1024;

/** @throws HoldstillError E_EXPORT_DAMAGED, E_TOO_NEW */
export async function readHeader(archive: ArchiveReader, file: string): Promise<ExportHeader> {
  const text = await damaged(file, async () => {
    const entry = await archive.next();
    if (entry?.name !== headerFile || entry.size > LARGEST_HEADER)
      throw new Error("it does not begin as an export does");
    const chunks: Uint8Array[] = [];
    for await (const chunk of entry.content) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  });
  const value: unknown = await damaged(file, () => Promise.resolve(JSON.parse(text) as unknown));
  const checked = validateOpenly("export", value, file);
  if (!checked.ok) {
    if (isNewer(value, "version")) throw new HoldstillError("E_TOO_NEW", { file, findings: checked.findings });
    const [first] = checked.findings;
    throw new HoldstillError("E_EXPORT_DAMAGED", { file, reason: `its header is wrong at ${first?.pointer ?? ""}` });
  }
  const wrong = wrongIn(checked.value);
  if (wrong !== null) throw new HoldstillError("E_EXPORT_DAMAGED", { file, reason: wrong });
  return checked.value;
}

/** What does not fit together in a header; null: nothing. */
function wrongIn({ set, contents }: ExportHeader): string | null {
  for (const { volumeId, original } of contents) {
    const volume = set.volumes.find(({ id }) => id === volumeId);
    if (volume === undefined || !volume.paths.includes(original)) return `the record does not have ${original}`;
  }
  const empty = set.volumes.find(({ id }) => !contents.some(({ volumeId }) => volumeId === id));
  return empty === undefined ? null : `it has nothing of ${empty.paths.join(" ")}`;
}

/** Where the files of an export go. */
export interface UnpackTarget {
  /** By the id of a volume: the folder that the provider has made. */
  readonly places: ReadonlyMap<string, string>;
  readonly sidecars: Sidecars;
  readonly signal: AbortSignal;
}

/**
 * Unpacks all that follows the header. What it has written is whole only if it returns.
 *
 * @returns The digest of the export.
 * @throws HoldstillError E_EXPORT_DAMAGED, E_PATH_UNSAFE, E_PATH_FAILED; the signal's reason
 */
export function unpackExport(
  archive: ArchiveReader,
  file: string,
  header: ExportHeader,
  to: UnpackTarget,
): Promise<string> {
  return damaged(file, async () => {
    const owed = new Map(sidecarFiles(header.set).map((one) => [sidecarName(one.writer, one.path), one]));
    let at = -1;
    let parts = 0;
    let tree: ReceivedTree | null = null;
    try {
      for (let entry = await archive.next(); entry !== null; entry = await archive.next()) {
        to.signal.throwIfAborted();
        const part = partOf(entry.name);
        if (part === null) {
          await receiveSidecar(entry, owed, header.set.id, to.sidecars);
          continue;
        }
        if (part.contents === at + 1 && part.part === 0) {
          await tree?.end();
          [at, parts] = [part.contents, 0];
          tree = treeOf(header, at, to);
        }
        if (tree === null || part.contents !== at || part.part !== parts || entry.size > 2 * PART_BYTES)
          throw new Error(`${entry.name} is not in its place`);
        for await (const chunk of entry.content) await tree.write(chunk);
        parts += 1;
      }
      await tree?.end();
      tree = null;
      if (at + 1 !== header.contents.length) throw new Error("contents are missing");
      const [missing] = owed.keys();
      if (missing !== undefined) throw new Error(`${missing} is missing`);
      return await archive.end();
    } finally {
      await tree?.stop();
    }
  });
}

function treeOf({ contents }: ExportHeader, at: number, { places, signal }: UnpackTarget): ReceivedTree {
  const one = contents[at];
  const place = places.get(one?.volumeId ?? "");
  if (one === undefined || place === undefined) throw new Error("it has more contents than its header");
  return new ReceivedTree(place, one, signal);
}

type OwedFile = RecordedSidecar["files"][number] & { readonly writer: string };

const sidecarFiles = ({ writers }: SnapshotSet): OwedFile[] =>
  writers.flatMap(({ by, sidecar }) => (sidecar?.files ?? []).map((file) => ({ ...file, writer: by.instance })));

async function receiveSidecar(
  { name, size, content }: ArchiveEntry,
  owed: Map<string, OwedFile>,
  set: string,
  sidecars: Sidecars,
): Promise<void> {
  const file = owed.get(name);
  if (file === undefined || size !== file.bytes) throw new Error(`${name} is not what the record has`);
  owed.delete(name);
  await sidecars.receive(set, file.writer, file.path, content);
}

/** What is wrong with the file is one error; what has a code keeps it. */
async function damaged<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isHoldstillError(error)) throw error;
    const reason = error instanceof Error ? error.message.replace(/[.?]$/, "") : String(error);
    throw new HoldstillError("E_EXPORT_DAMAGED", { file, reason }, { cause: error });
  }
}
