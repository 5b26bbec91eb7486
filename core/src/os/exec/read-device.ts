import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { devicesBelowNode } from "../blockdevices.js";
import { baseEnvironment } from "../environment.js";
import { programAt } from "../path/programs.js";

/** As much as is read at the beginning and at the end, bytes. */
const PART = 2 ** 20;

/**
 * Opens a block device, and reads its beginning and its end. A process of its own reads, since a disk may never respond.
 *
 * @returns Why it cannot be read; null: it can.
 */
export async function whyUnreadable(node: string, limitMs: number): Promise<string | null> {
  const [device] = devicesBelowNode(node);
  if (device === undefined) return `${node} is not a block device`;
  const last = Math.max(0, Math.ceil(device.sizeBytes / PART) - 1);
  const limit = AbortSignal.timeout(limitMs);
  for (const part of new Set([0, last])) {
    const args = [`if=${node}`, "of=/dev/null", `bs=${PART}`, "count=1", `skip=${part}`, "status=none"];
    const late = sleep(limitMs, `it was not read in ${limitMs} ms`, { ref: false });
    const reason = await Promise.race([run("dd", args, limit), late]);
    if (reason !== null) return reason;
  }
  return null;
}

/** What it complains of if it fails; null: it succeeds. */
function run(program: string, args: readonly string[], signal: AbortSignal): Promise<string | null> {
  const options = { signal, killSignal: "SIGKILL", env: { ...baseEnvironment(), LC_ALL: "C" } } as const;
  return new Promise((resolve) => {
    const child = execFile(programAt(program), args, options, (error, _, stderr) => {
      resolve(error === null ? null : stderr.trim() || error.message);
    });
    child.unref();
  });
}
