import { spawnSync } from "node:child_process";

/** Pictures, mounted where a command shall see them. */
export interface Mirror {
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
 * The command, in a mount namespace of its own with the pictures mounted read-only. The mounts are nobody else's and end with
 * the command's last process, whatever ends it: none can be left. What is unmounted outside meanwhile is unmounted inside too.
 */
export function inMirror({ root, mounts }: Mirror, command: readonly string[]): string[] {
  const outer = mounts.toSorted((a, b) => a.at.length - b.at.length);
  const pairs = outer.flatMap(({ from, at }) => [from, (root ?? "") + at]);
  const shell = ["/bin/sh", "-c", script, "holdstill", root ?? "", ...pairs, "--", ...command];
  return ["unshare", "--mount", "--propagation", "slave", "--", ...shell];
}

const script = `
set -eu
root=$1; shift
if [ -n "$root" ]; then mount -t tmpfs -o mode=0755,size=1m,nosuid,nodev holdstill "$root"; fi
while [ "$1" != -- ]; do
  if [ -n "$root" ]; then
    if [ -d "$1" ]; then mkdir -p -- "$2"; else mkdir -p -- "\${2%/*}"; : >>"$2"; fi
  fi
  mount --bind -o ro,nosuid,nodev -- "$1" "$2"
  shift 2
done
shift
if [ -n "$root" ]; then mount -o remount,ro "$root"; fi
echo ready >&${readyFd}
exec ${readyFd}>&-
exec "$@"
`;
