/** Runs in the guest: each test file in a process of its own, one after the other, what they tell on the first serial line. */
import { spawn } from "node:child_process";
import { appendFileSync } from "node:fs";
import { release } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { LabEvent } from "../events.js";

const line = "/dev/ttyS0";
const files = (process.env["LAB_FILES"] ?? "").split("\n").filter((file) => file !== "");
/** Of each file, s. */
const limits = (process.env["LAB_FILE_LIMITS"] ?? "").split("\n").map(Number);

tell({ event: "booted", kernel: release() });
for (const [index, file] of files.entries()) {
  const { code, why } = await runFile(file, (limits[index] ?? 0) * 1000);
  tell({ event: "ended", file: path.basename(file), code, why });
}
tell({ event: "done" });

function tell(event: LabEvent): void {
  appendFileSync(line, `${JSON.stringify(event)}\n`);
}

async function runFile(file: string, limitMs: number): Promise<{ code: number | null; why: string }> {
  const reporter = path.join(import.meta.dirname, "reporter.js");
  const child = spawn(
    process.execPath,
    [`--test-reporter=${reporter}`, `--test-reporter-destination=${line}`, "--enable-source-maps", file],
    { stdio: ["ignore", "inherit", "inherit"], detached: true },
  );
  const ended = new Promise<{ code: number | null; why: string }>((resolve) => {
    child.once("error", (error) => resolve({ code: null, why: error.message }));
    child.once("exit", (code, signal) => resolve({ code, why: signal === null ? `exit code ${code}` : signal }));
  });
  const cancel = new AbortController();
  const result = await Promise.race([ended, sleep(limitMs, undefined, { signal: cancel.signal })]);
  if (result !== undefined) {
    cancel.abort();
    return result;
  }
  if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  // A process that waits for a frozen file system cannot be killed, so it is not waited for.
  const killed = await Promise.race([ended.then(() => true), sleep(2000, false)]);
  return { code: null, why: `ran for more than ${limitMs / 1000} s${killed ? "" : " and could not be killed"}` };
}
