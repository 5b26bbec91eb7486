import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import type { Who } from "../base/errors/details.js";
import { runProgram } from "../os/exec/exec.js";

/** Tells what the fixture's commands start from what the plugin starts. */
export const MARK = "HOLDSTILL_CONFORMANCE";

export interface Shell {
  who: Who;
  cwd: string;
  env: Readonly<Record<string, string>>;
  /** The file that has the command's output while it runs. */
  folder: string;
}

/** late: it was ended because it took too long. */
export type ShellResult = { is: "ended"; exitCode: number | null; output: string } | { is: "late"; output: string };

/**
 * Runs one of the fixture's commands with sh. Its output goes to a file: what it starts in the background would keep a pipe open,
 * and us waiting.
 */
export async function runShell(text: string, { who, cwd, env, folder }: Shell, limitMs: number): Promise<ShellResult> {
  const file = path.join(folder, "output");
  const signal = AbortSignal.timeout(limitMs);
  // -u: a misspelt $WORK must not become the root of the file system.
  const args = ["-u", "-c", `exec >"$1" 2>&1; shift\n${text}`, "conformance.json", file];
  const options = { cwd, env: { ...env, [MARK]: "1" } };
  try {
    const { exitCode } = await runProgram({ who, command: "sh", args, options, signal });
    return { is: "ended", exitCode, output: textOf(file) };
  } catch (error) {
    if (!signal.aborted) throw error;
    return { is: "late", output: textOf(file) };
  } finally {
    rmSync(file, { force: true });
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8").trim().slice(-1000);
  } catch {
    return "";
  }
}
