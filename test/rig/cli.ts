import { spawn } from "node:child_process";
import path from "node:path";

export const mainModule = path.resolve(import.meta.dirname, "../../../core/dist/cli/main.js");

export interface CliRun {
  exitCode: number | null;
  stdout: string;
  stderr: string;
  /** stdout as one JSON document. Throws when it is not. */
  json(): unknown;
}

/** Runs the real command line in a process of its own; killed, and so failed, after `limitMs`. */
export function holdstill(
  args: readonly string[],
  env: Record<string, string> = {},
  limitMs = 60_000,
): Promise<CliRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [mainModule, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "1", ...env },
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), limitMs);
    const text = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text.stdout += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (text.stderr += chunk));
    child.once("error", reject);
    child.once("close", (exitCode) => {
      clearTimeout(timer);
      resolve({ ...text, exitCode, json: (): unknown => JSON.parse(text.stdout) });
    });
  });
}
