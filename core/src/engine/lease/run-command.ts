import { mkdirSync } from "node:fs";
import path from "node:path";
import type { Settings } from "../../base/config/settings.js";
import { HoldstillError, toFault } from "../../base/errors/error.js";
import { type CommandEnd, runForeground } from "../../os/exec/foreground.js";
import { canMount, type Mirror } from "../../os/exec/mount-tree.js";
import { isProgram } from "../../os/exec/program.js";
import type { Request } from "../../plan/plan.js";
import type { BackupOutcome } from "../../host/contract/writer.js";
import type { Fault, SnapshotSet } from "../../base/schema/types.js";
import { isDegraded } from "../../transaction/record.js";
import type { Lender, Loan } from "./temporary-set.js";
import { mirrorOf, recordFolder } from "../sets/mirror.js";
import { treesOf } from "../sets/exposed-trees.js";
import type { Ended, Watching } from "../types.js";

/** What is to be done with a set while it lives. */
export interface Job {
  command: readonly string[];
  /**
   * root: the pictures are mounted below one folder, the same in each run, as are the record and the sidecars; only where the
   * process may mount, else the command gets them as they are exposed. in-place: over the originals; refused where not possible.
   */
  pictures: "root" | "in-place";
  /** What becomes of the set. */
  afterwards: "delete" | "keep";
  /** What the writers are told of the backup, if it succeeds. */
  type: BackupOutcome["type"];
  stdout: "stdout" | "stderr";
  /** The command is started as soon as this is done: what it says shall not come in between. */
  onReady?: (set: SnapshotSet, place: Place) => Promise<void>;
}

/** Where the command finds everything; what is not known, because nothing could be mounted, is null. */
export interface Place {
  root: string | null;
  record: string;
}

export interface Ran {
  /** How the set came about. */
  ended: Ended;
  /** null: it was not started. */
  command: CommandEnd | null;
  /** Why the command was not started, if not for how the set ended. */
  error: Fault | null;
  /** What did not work afterwards: writers that could not be told, pictures that could not be concealed or removed. */
  untold: { writer: string; error: Fault }[];
  left: Fault | null;
}

/**
 * Takes a set, runs a command with its pictures, tells the writers how it went, and removes the set. It lives as long as this process
 * and the command, and is then a leftover.
 */
export async function run(lender: Lender, request: Request, job: Job, watching: Watching): Promise<Ran> {
  const [program = ""] = job.command;
  if (!isProgram(program)) throw new HoldstillError("E_COMMAND_MISSING", { command: program });
  const mounts = canMount();
  if (job.pictures === "in-place" && !mounts)
    throw new HoldstillError("E_MIRROR", { reason: "this process may not mount" });
  const { ended, result } = await lender.lend(request, "alone", watching, async (loan) => {
    const { signal = new AbortController().signal } = watching;
    const did = isDegraded(loan.set) ? nothing : await work(lender.settings, loan, job, { mounts, signal });
    return { ...did, ...(await settle(loan, job, did.command)) };
  });
  return { ended, ...(result ?? { ...nothing, untold: [], left: null }) };
}

const nothing = { command: null, error: null };

async function work(
  settings: Settings,
  loan: Loan,
  job: Job,
  { mounts, signal }: { mounts: boolean; signal: AbortSignal },
): Promise<Pick<Ran, "command" | "error">> {
  try {
    const exposed = await loan.expose();
    const { folder, fd } = loan;
    const mirror = mounts ? mirrorFor(settings, exposed, job.pictures, folder) : null;
    const place = placeOf(mirror, exposed, folder);
    await job.onReady?.(exposed, place);
    const { command, stdout } = job;
    const env = environment(exposed, place);
    const ended = await loan.whilst(() => runForeground({ command, mirror, env, stdout, fd, signal }));
    return { command: ended, error: null };
  } catch (error) {
    return { command: null, error: toFault(error) };
  }
}

function mirrorFor(settings: Settings, set: SnapshotSet, pictures: Job["pictures"], folder: string): Mirror {
  if (pictures === "in-place") {
    return { root: null, mounts: treesOf(set).map(({ original, path: from }) => ({ from, at: original })) };
  }
  const root = path.join(settings.exposeDir, "root");
  mkdirSync(root, { recursive: true, mode: 0o711 });
  return mirrorOf(set, root, folder);
}

function placeOf(mirror: Mirror | null, set: SnapshotSet, folder: string): Place {
  const record = path.join(mirror?.root == null ? folder : path.join(mirror.root, recordFolder), "set.json");
  return { root: mirror === null ? commonRoot(treesOf(set)) : (mirror.root ?? "/"), record };
}

/** The folder below which all pictures lie at their original paths, if there is one. */
function commonRoot(trees: readonly { original: string; path: string }[]): string | null {
  const roots = trees.map((tree) =>
    tree.path.endsWith(tree.original) ? tree.path.slice(0, -tree.original.length) : "",
  );
  const [first = ""] = roots;
  return first !== "" && roots.every((root) => root === first) ? first : null;
}

function environment({ id }: SnapshotSet, { root, record }: Place): Record<string, string> {
  return {
    HOLDSTILL_SET: id,
    HOLDSTILL_SET_JSON: record,
    ...(root === null ? {} : { HOLDSTILL_ROOT: root }),
  };
}

/** Whatever came of the command: the writers are told, and the set goes or stays. Signals do not stop this. */
async function settle(
  loan: Loan,
  { afterwards, type }: Job,
  command: CommandEnd | null,
): Promise<Pick<Ran, "untold" | "left">> {
  let untold: Ran["untold"] = [];
  try {
    untold = (await loan.complete({ succeeded: command?.exitCode === 0, type })).failed;
    await loan.end(afterwards);
    return { untold, left: null };
  } catch (error) {
    return { untold, left: toFault(error) };
  }
}
