import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { HoldstillError } from "../../base/errors/error.js";

/** Where the contents of snapshots are mounted, for one command or for all processes. */
export interface MountTree {
  /** The folder below which they have their original paths; null: at the original paths themselves. */
  readonly root: string | null;
  readonly mounts: readonly { readonly from: string; readonly at: string }[];
}

/** The descriptor on which "ready" is written once everything is mounted. */
export const readyFd = 4;

/** Whether this process may mount. Root in a container may not. */
export function canMount(): boolean {
  return spawnSync("unshare", ["--mount", "true"], { stdio: "ignore" }).status === 0;
}

/**
 * The command, in its own mount namespace with the snapshots mounted read-only. No other process sees the mounts, and they end with the
 * command's last process, however it ends, so none can be left. What is unmounted outside in the meantime is also unmounted inside.
 */
export function inMountTree({ root, mounts }: MountTree, command: readonly string[]): string[] {
  const shell = ["/bin/sh", "-c", mounting + starting, "holdstill", ...mountArguments({ root, mounts }), ...command];
  return ["unshare", "--mount", "--propagation", "slave", "--", ...shell];
}

/**
 * Mounts the snapshots read-only for all processes, below the root, as one tree: the mount points are in a tmpfs and go with it.
 * `name` is what the mount table shows as its source. If it fails, nothing stays mounted.
 *
 * @throws HoldstillError E_MIRROR
 */
export function mountTree(tree: MountTree & { readonly root: string }, name: string): void {
  // It ends with this process: what it would mount later would never be unmounted.
  const shell = ["--pdeathsig", "KILL", "--", "/bin/sh", "-c", mounting, name, ...mountArguments(tree)];
  const done = spawnSync("setpriv", shell, { encoding: "utf8" });
  if (done.status === 0) return;
  spawnSync("umount", ["--recursive", "--", tree.root], { stdio: "ignore" });
  throw new HoldstillError("E_MIRROR", { reason: reasonOf(done) });
}

/** Unmounts such a tree. @throws HoldstillError E_MIRROR_BUSY */
export function unmountTree(root: string): void {
  const done = spawnSync("umount", ["--recursive", "--", root], { encoding: "utf8" });
  if (done.status !== 0) throw new HoldstillError("E_MIRROR_BUSY", { at: root, reason: reasonOf(done) });
}

const reasonOf = ({ stderr, status, error }: SpawnSyncReturns<string>): string =>
  error?.message ?? (stderr.trim().replaceAll("\n", "; ") || `it ended with ${status}`);

/** Arguments of the script `mounting`, outer folders first. */
function mountArguments({ root, mounts }: MountTree): string[] {
  const outer = mounts.toSorted((a, b) => a.at.length - b.at.length);
  return [root ?? "", ...outer.flatMap(({ from, at }) => [from, (root ?? "") + at]), "--"];
}

const mounting = `
set -eu
root=$1; shift
if [ -n "$root" ]; then mount -t tmpfs -o mode=0755,size=1m,nosuid,nodev "$0" "$root"; fi
while [ "$1" != -- ]; do
  if [ -n "$root" ]; then
    if [ -d "$1" ]; then mkdir -p -- "$2"; else mkdir -p -- "\${2%/*}"; : >>"$2"; fi
  fi
  mount --bind -o ro,nosuid,nodev -- "$1" "$2"
  shift 2
done
shift
if [ -n "$root" ]; then mount -o remount,ro "$root"; fi
`;

const starting = `
echo ready >&${readyFd}
exec ${readyFd}>&-
exec "$@"
`;
