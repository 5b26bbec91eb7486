import path from "node:path";
import { HoldstillError, toFault } from "../../base/errors/error.js";
import { runForeground } from "../../os/exec/foreground.js";
import { canMount, type MountTree } from "../../os/exec/mount-tree.js";
import { isProgram } from "../../os/exec/program.js";
import type { SnapshotRequest } from "../../plan/plan.js";
import type { BackupOutcome } from "../../host/contract/writer.js";
import type { ExposedTree, Fault, RestoreContents, RunReport, SnapshotSet } from "../../base/schema/types.js";
import { ExposureFolders } from "../../store/exposure-folders.js";
import { isDegraded } from "../../transaction/record.js";
import type { TemporarySets, TemporarySet } from "./temporary-set.js";
import { recordFolder, shownTrees, withRecord } from "../sets/mount-at.js";
import { exposedDevices, exposedTrees } from "../sets/exposed-trees.js";
import type { TransactionResult, Watcher } from "../types.js";

/** What is to be done with a set while it exists. */
export interface RunJob {
  command: readonly string[];
  /**
   * root: the snapshots, the record, and the sidecars are mounted below one folder, the same in each run. Without the right to mount,
   * the command reads the snapshots where they are exposed. in-place: they are mounted over the originals; refused without that right, and
   * for raw devices. The snapshot of a raw device is a block device in /dev, in any case.
   */
  layout: "root" | "in-place";
  /** Of a snapshot that its writer repaired: that, or what was cut, which can be the base for a point in time. */
  contents: RestoreContents;
  /** Whether the set is removed after the command. */
  afterwards: "delete" | "keep";
  /** Which type of backup the writers are notified of, if it succeeds. */
  type: BackupOutcome["type"];
  stdout: "stdout" | "stderr";
  /** The command is started when this has resolved, so that its output comes after that of the caller. */
  onReady?: (set: SnapshotSet, view: CommandView) => Promise<void>;
}

/** Where the command finds the snapshots and the record. root is null if nothing could be mounted, and there is no common root. */
export interface CommandView {
  root: string | null;
  /** Block devices with the contents of the raw devices. */
  devices: string[];
  record: string;
}

export interface RunResult extends RunReport {
  ended: TransactionResult;
}

/**
 * Takes a set, runs a command with its snapshots, notifies the writers of the result, and removes the set. The set lives as long as this
 * process and the command; after that it is a leftover.
 */
export async function runWithSet(
  sets: TemporarySets,
  request: SnapshotRequest,
  job: RunJob,
  watcher: Watcher,
): Promise<RunResult> {
  const [program = ""] = job.command;
  if (!isProgram(program)) throw new HoldstillError("E_COMMAND_MISSING", { command: program });
  const mounts = canMount();
  if (job.layout === "in-place" && !mounts)
    throw new HoldstillError("E_MIRROR", { reason: "this process may not mount" });
  const folders = new ExposureFolders(sets.settings.exposeDir);
  const { ended, result } = await sets.withTemporarySet(request, "alone", watcher, async (temporary) => {
    const { signal = new AbortController().signal } = watcher;
    const warn = (fault: Fault): void => watcher.onWarning?.(fault);
    const did = isDegraded(temporary.set) ? nothing : await work(folders, temporary, job, { mounts, signal, warn });
    return { ...did, ...(await settle(temporary, job, did)) };
  });
  return { ended, ...(result ?? { ...nothing, notNotified: [], left: null }) };
}

const nothing = { command: null, error: null };

async function work(
  folders: ExposureFolders,
  temporary: TemporarySet,
  job: RunJob,
  { mounts, signal, warn }: { mounts: boolean; signal: AbortSignal; warn: (fault: Fault) => void },
): Promise<Pick<RunResult, "command" | "error">> {
  try {
    const exposed = await temporary.expose();
    const { folder, fd } = temporary;
    const mountTree = mounts ? await mountsFor(folders, exposed, job, folder) : null;
    const devices = exposedDevices(exposed, job.contents).map((device) => device.path);
    const view = { ...viewOf(mountTree, exposedTrees(exposed, job.contents), folder), devices };
    await job.onReady?.(exposed, view);
    const { command, stdout } = job;
    const env = environment(exposed, view);
    const { end, left } = await temporary.whilst(() => runForeground({ command, mountTree, env, stdout, fd, signal }));
    if (left.length > 0) warn(toFault(new HoldstillError("E_COMMAND_LEFT", { command: command[0] ?? "", left })));
    return { command: end, error: await temporary.findLoss().catch(() => null) };
  } catch (error) {
    return { command: null, error: toFault(error) };
  }
}

async function mountsFor(
  folders: ExposureFolders,
  set: SnapshotSet,
  { layout, contents }: RunJob,
  folder: string,
): Promise<MountTree> {
  if (layout === "in-place") {
    refuseRaw(set);
    return { root: null, mounts: shownTrees(set, contents) };
  }
  const root = folders.of("root");
  await folders.make(root);
  return { root, mounts: withRecord(set, folder, contents) };
}

/** @throws HoldstillError E_MIRROR: the command would read the device itself, and take it for the snapshot */
function refuseRaw(set: SnapshotSet): void {
  const [device] = exposedDevices(set);
  if (device === undefined) return;
  throw new HoldstillError("E_MIRROR", { reason: `${device.original} is a raw device, which nothing can be put over` });
}

function viewOf(mirror: MountTree | null, trees: readonly ExposedTree[], folder: string): Omit<CommandView, "devices"> {
  const record = path.join(mirror?.root == null ? folder : path.join(mirror.root, recordFolder), "set.json");
  return { root: mirror === null ? commonRoot(trees) : (mirror.root ?? "/"), record };
}

/** The folder below which all snapshots lie at their original paths, if there is one. */
function commonRoot(trees: readonly { original: string; path: string }[]): string | null {
  const roots = trees.map((tree) =>
    tree.path.endsWith(tree.original) ? tree.path.slice(0, -tree.original.length) : "",
  );
  const [first = ""] = roots;
  return first !== "" && roots.every((root) => root === first) ? first : null;
}

function environment({ id }: SnapshotSet, { root, devices, record }: CommandView): Record<string, string> {
  return {
    HOLDSTILL_SET: id,
    HOLDSTILL_SET_JSON: record,
    ...(root === null ? {} : { HOLDSTILL_ROOT: root }),
    ...(devices.length === 0 ? {} : { HOLDSTILL_DEVICES: devices.join("\n") }),
  };
}

/** Whatever the result of the command: the writers are notified, and the set is removed or kept. Signals do not stop this. */
async function settle(
  temporary: TemporarySet,
  { afterwards, type }: RunJob,
  { command, error }: Pick<RunResult, "command" | "error">,
): Promise<Pick<RunResult, "notNotified" | "left">> {
  let notNotified: RunResult["notNotified"] = [];
  try {
    const succeeded = command?.exitCode === 0 && error === null;
    const result = { succeeded, type, ...(command === null ? {} : { command }) };
    notNotified = (await temporary.complete(result)).failed;
    await temporary.end(afterwards);
    return { notNotified, left: null };
  } catch (cause) {
    return { notNotified, left: toFault(cause) };
  }
}
