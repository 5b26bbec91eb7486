import type { Exposed, ExecResult } from "holdstill/plugin";
import { isWithin } from "#kit/paths.js";
import { PluginError } from "./errors.js";

/** Places the trees of a snapshot where their originals are, and runs a program there as an ordinary user. */
export interface Placement {
  readonly trees: Exposed["trees"];
  readonly uid: number;
  readonly gid: number;
}

/**
 * In a separate mount namespace, the snapshot covers the original: paths in tables (`DATA DIRECTORY`), in the redo log,
 * in the binary log's index or in symbolic links lead into the snapshot, and nothing can touch the data that it was made of.
 * The mounts are gone with the process. Each step replaces the one before, so that all of it is one process.
 */
const script = `
count=$1; shift
while [ "$count" -gt 0 ]; do
  mount --bind "$1" "$2" || exit 125
  shift 2; count=$((count - 1))
done
uid=$1; gid=$2; shift 2
exec setpriv --reuid "$uid" --regid "$gid" --clear-groups --no-new-privs --pdeathsig KILL -- "$@"`;

/** Arguments of unshare(1) that run the program on the stage. */
export function inPlaceOfOriginal({ trees, uid, gid }: Placement, program: readonly string[]): string[] {
  // A folder within another is mounted after it. Otherwise it would be covered.
  const ordered = trees.toSorted((a, b) => a.original.length - b.original.length);
  const pairs = ordered.flatMap(({ original, path }) => [path, original]);
  const args = [String(ordered.length), ...pairs, String(uid), String(gid), ...program];
  return ["--mount", "--propagation", "slave", "--", "sh", "-c", script, "sh", ...args];
}

/** The path of an original's file in the snapshot. */
export function pathInSnapshot(file: string, { trees }: Pick<Exposed, "trees">): string {
  const tree = trees.find(({ original }) => isWithin(file, original));
  if (tree !== undefined) return `${tree.path}${file.slice(tree.original.length)}`;
  const hint = "Take the set again, with all folders of the server.";
  throw new PluginError("MYSQL_SNAPSHOT", `the snapshot does not contain ${file}`, hint);
}

/** Why a program failed: its first error messages, from which the others follow, or its last lines. */
export function errorLines({ exitCode, stdout, stderr }: ExecResult): string {
  const lines = `${stdout}\n${stderr}`.trim().split("\n");
  const errors = lines.filter((line) => /\[ERROR\]|fatal|mount:/i.test(line));
  return `exit ${exitCode ?? "by a signal"}: ${(errors.length > 0 ? errors.slice(0, 5) : lines.slice(-5)).join(" | ")}`;
}
