import path from "node:path";
import type { Writable } from "node:stream";
import { volumeName } from "../../base/display/volume-name.js";
import { HoldstillError, isHoldstillError } from "../../base/errors/error.js";
import type {
  ExportedContents,
  ExportHeader,
  ExposedTree,
  RecordedSnapshot,
  SnapshotSet,
} from "../../base/schema/types.js";
import { readAccounts } from "../../base/trust/accounts.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import { packTree } from "../../os/exec/tree-archive.js";
import { accessAbove, openExposed, openExposedParent } from "../../os/path/exposed-tree.js";
import { FolderHandle } from "../../os/path/folder.js";
import { walk } from "../../os/path/walk.js";
import { readySet } from "../sets/ready-set.js";
import { withExposed } from "../sets/with-exposed.js";
import type { EngineContext } from "../types.js";
import { ArchiveWriter } from "./archive.js";
import { contentsFolder, headerFile, sidecarName } from "./names.js";

/**
 * Writes the set as it was cut: its record, the files of the writers, and for each captured path a tar archive. Another host repairs it
 * itself.
 *
 * @returns The digest of the export.
 * @throws HoldstillError E_SET_EXPOSED, E_NOT_EXPORTABLE, E_SNAPSHOT_LOST, E_SNAPSHOT_CREATING, E_EXPORT_FAILED; the signal's reason
 */
export async function exportSet(
  context: EngineContext,
  workers: PluginWorkers,
  known: SnapshotSet,
  output: Writable,
  signal: AbortSignal,
): Promise<string> {
  if ((known.exposed ?? []).length > 0) throw new HoldstillError("E_SET_EXPOSED", { set: known.id });
  refuseRaw(known);
  const set = await readySet(context, workers, known);
  const cuts = set.snapshots.filter(({ snapshot }) => snapshot.of === undefined);
  return withExposed(context, workers, set, cuts, { access: "read-only", name: "export" }, async (exposed) => {
    const trees = exposed.flatMap(({ trees: all }, at) => outermost(all).map((tree) => ({ tree, of: cuts[at] })));
    const archive = new ArchiveWriter(output);
    const stop = (): void => void archive.fail(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    try {
      const header: ExportHeader = {
        format: "holdstill-export",
        version: 1,
        exportedAt: new Date().toISOString(),
        set,
        contents: trees.map(({ tree, of }) => describe(tree, of)),
      };
      const text = Buffer.from(`${JSON.stringify(header, null, 2)}\n`);
      await archive.add(headerFile, text.length, [text]);
      await addSidecars(context, set, archive);
      for (const [at, { tree }] of trees.entries()) await addTree(tree, contentsFolder(at), archive, signal);
      signal.throwIfAborted();
      return await archive.end();
    } catch (error) {
      await archive.fail(error);
      signal.throwIfAborted();
      if (isHoldstillError(error)) throw error;
      const reason = (error instanceof Error ? error.message : String(error)).replace(/\.$/, "");
      throw new HoldstillError("E_EXPORT_FAILED", { set: set.id, reason }, { cause: error });
    } finally {
      signal.removeEventListener("abort", stop);
    }
  });
}

function refuseRaw({ id: set, volumes }: SnapshotSet): void {
  const raw = volumes.find(({ kind }) => kind === "block");
  if (raw === undefined) return;
  throw new HoldstillError("E_NOT_EXPORTABLE", { set, volume: volumeName(raw), reason: "is a raw block device" });
}

/** Without what is a part of another one. */
const outermost = (trees: readonly ExposedTree[]): ExposedTree[] =>
  trees.filter(({ path: one }) => !trees.some(({ path: other }) => one.startsWith(`${other}/`)));

function describe(tree: ExposedTree, of: RecordedSnapshot | undefined): ExportedContents {
  using handle = openExposed(tree);
  const { type } = handle.status();
  const above = [...accessAbove(tree)].map(([at, { uid, gid, mode }]) => ({ path: at, uid, gid, mode }));
  return {
    volumeId: of?.snapshot.volumeId ?? "",
    original: tree.original,
    form: type === "folder" ? "folder" : "file",
    above,
  };
}

async function addSidecars({ store }: EngineContext, set: SnapshotSet, archive: ArchiveWriter): Promise<void> {
  for (const { by, sidecar } of set.writers) {
    if (sidecar === undefined) continue;
    using folder = walk(store.sidecars.folder(set.id, by.instance), { accounts: await readAccounts() });
    for (const file of sidecar.files) {
      using opened = folder.file(path.normalize(file.path), { owners: "any" });
      await archive.add(sidecarName(by.instance, file.path), file.bytes, store.sidecars.contentOf(opened));
    }
  }
}

async function addTree(tree: ExposedTree, folder: string, archive: ArchiveWriter, signal: AbortSignal): Promise<void> {
  using handle = openExposed(tree);
  if (handle.status().type === "folder") {
    using top = FolderHandle.of(handle.duplicate());
    return await archive.addParts(folder, packTree({ folder: top }, signal));
  }
  using parent = openExposedParent(tree);
  await archive.addParts(folder, packTree({ file: path.basename(tree.path), in: parent }, signal));
}
