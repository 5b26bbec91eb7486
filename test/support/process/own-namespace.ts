import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readlinkSync } from "node:fs";
import { constants, tmpdir } from "node:os";

/** Tells a test run that it is in a mount namespace of its own: the name of the one outside. */
const variable = "HOLDSTILL_OUTER_NAMESPACE";

/**
 * Takes no copies of what other test runs have mounted, which would keep their file systems alive; and has every namespace that
 * is made from this one follow its unmounts, which without systemd they would not. Its shared memory is its own: what another
 * server leaves in /dev/shm meanwhile is not taken for ours.
 */
const script = `
set -e
mounts=$(cat /proc/self/mounts)
echo "$mounts" | while read -r _ point _; do
  case $point in
  "$1"/holdstill-* | "$1"/hs-*) umount --lazy "$point" 2>/dev/null || : ;;
  esac
done
mount --make-rshared /
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
shift
exec "$@"
`;

/**
 * Goes on in a mount namespace of the run's own, in a child; this process only waits for it, and ends as it does. What tests mount
 * is visible to them alone, and nothing of it outlives the run. Where that cannot be had, as without root, everything goes on here.
 */
export async function enterOwnNamespace(): Promise<void> {
  const here = readlinkSync("/proc/self/ns/mnt");
  const outer = process.env[variable];
  if (outer !== undefined && outer !== here) return;
  // The signal for where this process is killed.
  const command = ["--pdeathsig", "TERM", "--", "unshare", "--mount", "--propagation", "slave", "--"];
  if (spawnSync("setpriv", [...command, "mount", "--make-rshared", "/"]).status !== 0) return;
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const child = spawn("setpriv", [...command, "sh", "-c", script, "sh", tmpdir(), ...again], {
    stdio: "inherit",
    env: { ...process.env, [variable]: here },
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  process.exit(code ?? 128 + constants.signals[signal ?? "SIGKILL"]);
}

/** Whether this process is in such a namespace. */
export function isInOwnNamespace(): boolean {
  const outer = process.env[variable];
  return outer !== undefined && outer !== readlinkSync("/proc/self/ns/mnt");
}
