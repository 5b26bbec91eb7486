import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { HoldstillError } from "../../base/errors/error.js";
import { volumeName } from "../../base/display/volume-name.js";
import type { Volume } from "../../base/schema/types.js";
import { baseEnvironment } from "../environment.js";
import { programAt } from "../path/programs.js";

/** How long a hold may last before it counts as one that is not going to end, ms: another set that is being taken ends sooner. */
const PATIENCE = 10_000;
const PAUSE = 50;

/**
 * Refuses a volume that takes no writes now, because another program has frozen its file system or suspended a device below it. This
 * process does not touch the file system, so it cannot hang on it. A raw device has no file system that this kernel knows.
 *
 * @throws HoldstillError E_FROZEN
 */
export async function assertNotFrozen(volume: Volume, patienceMs = PATIENCE): Promise<void> {
  const { devices } = volume;
  if (devices.length === 0) return;
  const deadline = Date.now() + patienceMs;
  let device = devices.find(isSuspended);
  while (device !== undefined && Date.now() < deadline) {
    await sleep(PAUSE);
    device = devices.find(isSuspended);
  }
  if (device !== undefined) {
    const cause = { type: "suspended", device: device.label ?? device.name } as const;
    throw new HoldstillError("E_FROZEN", { volume: volumeName(volume), cause });
  }
  if (volume.kind === "block") return;
  const { mountPoint } = volume;
  if (await isStuck(probe(mountPoint), deadline)) {
    throw new HoldstillError("E_FROZEN", { volume: mountPoint, cause: { type: "frozen" } });
  }
}

/** Documentation/ABI/testing/sysfs-block-dm. Only device-mapper has the file. */
function isSuspended({ name }: Volume["devices"][number]): boolean {
  try {
    return readFileSync(`/sys/class/block/${name}/dm/suspended`, "utf8").trim() === "1";
  } catch {
    return false;
  }
}

/**
 * A process that waits exactly while the file system is frozen: rmdir(2) asks for the right to write before it looks for the name
 * (fs/namei.c, do_rmdir), which does not exist.
 */
function probe(mountPoint: string): ChildProcess {
  const nothing = path.join(mountPoint, `.holdstill-${randomBytes(8).toString("hex")}`);
  return spawn(programAt("rmdir"), ["--", nothing], { stdio: "ignore", detached: true, env: baseEnvironment() });
}

/** Whether the process still waits in the kernel at the deadline. Then it is left behind, and ends with the freeze. */
async function isStuck(child: ChildProcess, deadline: number): Promise<boolean> {
  const ended = new AbortController();
  const end = once(child, "exit", { signal: ended.signal }).then(
    () => "ended" as const,
    () => "ended" as const,
  );
  const limit = sleep(Math.max(0, deadline - Date.now()), "late" as const, { signal: ended.signal });
  try {
    if ((await Promise.race([end, limit])) === "ended") return false;
    // On a busy machine it may not have begun yet.
    const latest = Date.now() + PATIENCE;
    while (child.exitCode === null && !isWaiting(child.pid) && Date.now() < latest) await sleep(PAUSE);
    if (child.exitCode !== null) return false;
    child.kill("SIGKILL");
    child.unref();
    return true;
  } finally {
    ended.abort();
    limit.catch(() => {});
  }
}

/** State D of proc_pid_stat(5): an uninterruptible wait. */
function isWaiting(pid: number | undefined): boolean {
  try {
    return /^\d+ \(.*\) D /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return true;
  }
}
