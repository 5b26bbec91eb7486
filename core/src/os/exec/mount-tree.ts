import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { HoldstillError } from "../../base/errors/error.js";

/** Snapshots, mounted where a command, or everybody, shall see them. */
export interface MountTree {
  /** The folder below which they lie at their original paths; null: at the original paths themselves. */
  readonly root: string | null;
  readonly mounts: readonly { readonly from: string; readonly at: string }[];
}

/** The descriptor that says "ready" once everything is mounted. */
export const readyFd = 4;

/** Whether this process may mount. Root in a container may not. */
export function canMount(): boolean {
  return spawnSync("unshare", ["--mount", "true"], { stdio: "ignore" }).status === 0;
}

/**
 * The command, in a mount namespace of its own with the snapshots mounted read-only. The mounts are nobody else's and end with
 * the command's last process, whatever ends it: none can be left. What is unmounted outside meanwhile is unmounted inside too.
 */
export function inMountTree({ root, mounts }: MountTree, command: readonly string[]): string[] {
  const shell = ["/bin/sh", "-c", mounting + starting, "holdstill", ...placed({ root, mounts }), ...command];
  return ["unshare", "--mount", "--propagation", "slave", "--", ...shell];
}

/**
 * Mounts the snapshots read-only for everybody, below the root, as one tree: whatever is made there lies in it, and goes with it.
 * `name` is what the mount table shows as its source. Nothing stays when it fails.
 *
 * @throws HoldstillError E_MIRROR
 */
export function mountTree(mirror: MountTree & { readonly root: string }, name: string): void {
  // It ends with us: what it would mount later, nobody would take away.
  const shell = ["--pdeathsig", "KILL", "--", "/bin/sh", "-c", mounting, name, ...placed(mirror)];
  const done = spawnSync("setpriv", shell, { encoding: "utf8" });
  if (done.status === 0) return;
  spawnSync("umount", ["--recursive", "--", mirror.root], { stdio: "ignore" });
  throw new HoldstillError("E_MIRROR", { reason: saidBy(done) });
}

/** Takes such a tree away. @throws HoldstillError E_MIRROR_BUSY */
export function unmountTree(root: string): void {
  const done = spawnSync("umount", ["--recursive", "--", root], { encoding: "utf8" });
  if (done.status !== 0) throw new HoldstillError("E_MIRROR_BUSY", { at: root, reason: saidBy(done) });
}

const saidBy = ({ stderr, status, error }: SpawnSyncReturns<string>): string =>
  error?.message ?? (stderr.trim().replaceAll("\n", "; ") || `it ended with ${status}`);

/** Arguments of `mounting`: outer places first. */
function placed({ root, mounts }: MountTree): string[] {
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
