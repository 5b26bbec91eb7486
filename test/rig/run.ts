import { spawn } from "node:child_process";

export interface Ran {
  stdout: string;
  stderr: string;
  exitCode: number | null;
}

const limitMs = 30_000;

/**
 * Runs a module's text in a Node of its own: for whatever would end or block the test's process. `before` is a line of shell,
 * for limits that only a shell can set.
 */
export function run(source: string, env: Record<string, string> = {}, before = ":"): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const node = [process.execPath, "--input-type=module", "--eval", source];
    const child = spawn("sh", ["-c", `${before}; exec "$@"`, "sh", ...node], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...env },
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), limitMs);
    const text = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text.stdout += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (text.stderr += chunk));
    child.once("error", reject);
    child.once("close", (exitCode) => {
      clearTimeout(timer);
      resolve({ ...text, exitCode });
    });
  });
}
