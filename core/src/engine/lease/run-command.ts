import { mkdirSync } from "node:fs";
import path from "node:path";
import type { Settings } from "../../base/config/settings.js";
import { HoldstillError, toFault } from "../../base/errors/error.js";
import { type CommandEnd, runForeground } from "../../os/exec/foreground.js";
import { canMount, type MountTree } from "../../os/exec/mount-tree.js";
import { isProgram } from "../../os/exec/program.js";
import type { SnapshotRequest } from "../../plan/plan.js";
import type { BackupOutcome } from "../../host/contract/writer.js";
import type { Fault, SnapshotSet } from "../../base/schema/types.js";
import { isDegraded } from "../../transaction/record.js";
import type { TemporarySets, TemporarySet } from "./temporary-set.js";
import { mountTreeOf, recordFolder } from "../sets/mount-at.js";
import { exposedTrees } from "../sets/exposed-trees.js";
import type { TransactionResult, Watcher } from "../types.js";

/** What is to be done with a set while it lives. */
export interface RunJob {
  command: readonly string[];
  /**
   * root: the snapshots are mounted below one folder, the same in each run, as are the record and the sidecars; only where the
   * process may mount, else the command gets them as they are exposed. in-place: over the originals; refused where not possible.
   */
  layout: "root" | "in-place";
  /** What becomes of the set. */
  afterwards: "delete" | "keep";
  /** What the writers are told of the backup, if it succeeds. */
  type: BackupOutcome["type"];
  stdout: "stdout" | "stderr";
  /** The command is started as soon as this is done: what it says shall not come in between. */
  onReady?: (set: SnapshotSet, place: CommandView) => Promise<void>;
}

/** Where the command finds everything; what is not known, because nothing could be mounted, is null. */
export interface CommandView {
  root: string | null;
  record: string;
}

export interface RunResult {
  /** How the set came about. */
  ended: TransactionResult;
  /** null: it was not started. */
  command: CommandEnd | null;
  /** Why the command was not started, if not for how the set ended. */
  error: Fault | null;
  /** What did not work afterwards: writers that could not be told, snapshots that could not be unexposed or removed. */
  notNotified: { writer: string; error: Fault }[];
  left: Fault | null;
}

/**
 * Takes a set, runs a command with its snapshots, tells the writers how it went, and removes the set. It lives as long as this process
 * and the command, and is then a leftover.
 */
export async function runWithSet(
  lender: TemporarySets,
  request: SnapshotRequest,
  job: RunJob,
  watching: Watcher,
): Promise<RunResult> {
  const [program = ""] = job.command;
  if (!isProgram(program)) throw new HoldstillError("E_COMMAND_MISSING", { command: program });
  const mounts = canMount();
  if (job.layout === "in-place" && !mounts)
    throw new HoldstillError("E_MIRROR", { reason: "this process may not mount" });
  const { ended, result } = await lender.withTemporarySet(request, "alone", watching, async (loan) => {
    const { signal = new AbortController().signal } = watching;
    const did = isDegraded(loan.set) ? nothing : await work(lender.settings, loan, job, { mounts, signal });
    return { ...did, ...(await settle(loan, job, did.command)) };
  });
  return { ended, ...(result ?? { ...nothing, notNotified: [], left: null }) };
}

const nothing = { command: null, error: null };

async function work(
  settings: Settings,
  loan: TemporarySet,
  job: RunJob,
  { mounts, signal }: { mounts: boolean; signal: AbortSignal },
): Promise<Pick<RunResult, "command" | "error">> {
  try {
    const exposed = await loan.expose();
    const { folder, fd } = loan;
    const mirror = mounts ? mirrorFor(settings, exposed, job.layout, folder) : null;
    const place = placeOf(mirror, exposed, folder);
    await job.onReady?.(exposed, place);
    const { command, stdout } = job;
    const env = environment(exposed, place);
    const ended = await loan.whilst(() => runForeground({ command, mountTree: mirror, env, stdout, fd, signal }));
    return { command: ended, error: null };
  } catch (error) {
    return { command: null, error: toFault(error) };
  }
}

function mirrorFor(settings: Settings, set: SnapshotSet, pictures: RunJob["layout"], folder: string): MountTree {
  if (pictures === "in-place") {
    return { root: null, mounts: exposedTrees(set).map(({ original, path: from }) => ({ from, at: original })) };
  }
  const root = path.join(settings.exposeDir, "root");
  mkdirSync(root, { recursive: true, mode: 0o711 });
  return mountTreeOf(set, root, folder);
}

function placeOf(mirror: MountTree | null, set: SnapshotSet, folder: string): CommandView {
  const record = path.join(mirror?.root == null ? folder : path.join(mirror.root, recordFolder), "set.json");
  return { root: mirror === null ? commonRoot(exposedTrees(set)) : (mirror.root ?? "/"), record };
}

/** The folder below which all snapshots lie at their original paths, if there is one. */
function commonRoot(trees: readonly { original: string; path: string }[]): string | null {
  const roots = trees.map((tree) =>
    tree.path.endsWith(tree.original) ? tree.path.slice(0, -tree.original.length) : "",
  );
  const [first = ""] = roots;
  return first !== "" && roots.every((root) => root === first) ? first : null;
}

function environment({ id }: SnapshotSet, { root, record }: CommandView): Record<string, string> {
  return {
    HOLDSTILL_SET: id,
    HOLDSTILL_SET_JSON: record,
    ...(root === null ? {} : { HOLDSTILL_ROOT: root }),
  };
}

/** Whatever came of the command: the writers are told, and the set goes or stays. Signals do not stop this. */
async function settle(
  loan: TemporarySet,
  { afterwards, type }: RunJob,
  command: CommandEnd | null,
): Promise<Pick<RunResult, "notNotified" | "left">> {
  let notNotified: RunResult["notNotified"] = [];
  try {
    notNotified = (await loan.complete({ succeeded: command?.exitCode === 0, type })).failed;
    await loan.end(afterwards);
    return { notNotified, left: null };
  } catch (error) {
    return { notNotified, left: toFault(error) };
  }
}
