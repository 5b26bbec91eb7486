import { readlinkSync } from "node:fs";
import type { Exposed } from "holdstill/plugin";
import { walk } from "#kit/walk.js";
import { asUser } from "./least-rights.js";
import type { ProcessUser } from "./server-process.js";

/** Places the trees of a snapshot where their originals are, and runs a program there as the server's user. */
export interface Placement {
  readonly trees: Exposed["trees"];
  readonly user: ProcessUser;
}

/** Exit code of the script, and of the host's `writable`, if the program was not started: env(1) has the same. */
export const notStarted = 125;

/**
 * In a separate mount namespace, the snapshot covers the original: paths in tables (`DATA DIRECTORY`), in the redo log,
 * in the binary log's index or in symbolic links lead into the snapshot, and nothing can touch the data that it was made of.
 * The mounts are gone with the process. Each step replaces the one before, so that all of it is one process.
 *
 * The server's user may own folders above an original, and those above it in the snapshot, and may have put a link in the place of
 * either: then root would cover another folder, or show the user what is in one that the user cannot enter. So each mount is made of an
 * open folder, on the current folder, which no process can exchange, and only if both have their paths.
 */
const script = `
count=$1; shift
while [ "$count" -gt 0 ]; do
  if ! cd -P -- "$1" || [ "$(readlink /proc/self/cwd)" != "$1" ]; then
    echo "mount: $1 leads to another folder" >&2; exit ${notStarted}
  fi
  exec 9<. || exit ${notStarted}
  if ! cd -P -- "$2"; then echo "mount: make an empty folder $2, which the snapshot is put on" >&2; exit ${notStarted}; fi
  if [ "$(readlink /proc/self/cwd)" != "$2" ]; then echo "mount: $2 leads to another folder" >&2; exit ${notStarted}; fi
  mount --no-canonicalize --bind -- /proc/self/fd/9 . || exit ${notStarted}
  exec 9<&-
  shift 2; count=$((count - 1))
done
cd /
exec "$@"`;

/**
 * Arguments of unshare(1) that run the program in the place of the original.
 *
 * @throws PluginError PATH_UNSAFE where a link that is not root's leads to a tree, PATH_FAILED
 */
export function inPlaceOfOriginal({ trees, user }: Placement, program: readonly string[]): string[] {
  // A folder within another is mounted after it. Otherwise it would be covered.
  const ordered = trees.toSorted((a, b) => a.original.length - b.original.length);
  const pairs = ordered.flatMap(({ original, path }) => [realPathOf(path), original]);
  const [setpriv, args] = asUser(user, program);
  const shell = ["sh", "-c", script, "sh", String(ordered.length), ...pairs, setpriv, ...args];
  return ["--mount", "--propagation", "slave", "--", ...shell];
}

/** As the kernel reports it: a part that is root's may be a link. */
function realPathOf(path: string): string {
  using folder = walk(path, { owners: "any" });
  return readlinkSync(folder.procPath);
}
