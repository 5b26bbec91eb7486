import { spawn } from "node:child_process";

export interface Ran {
  stdout: string;
  stderr: string;
  exitCode: number | null;
}

/** Runs a module's text in a Node of its own: for whatever would end or block the test's process. */
export function run(source: string, limitMs = 30_000): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--input-type=module", "--eval", source], {
      stdio: ["ignore", "pipe", "pipe"],
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
