import { spawn, type ChildProcess } from "node:child_process";
import path from "node:path";
import { documentIn } from "./document.js";
import type { ScriptResult } from "./run-script.js";
import type { User } from "./unprivileged.js";
import { repository } from "../repository.js";

export interface CliRun extends ScriptResult {
  /** stdout as the one document that the command's schema describes. Throws when it is not. */
  json(): unknown;
}

/** What npm links as `holdstill`. */
export const program = path.join(repository, "core/bin/holdstill.cjs");
/** The same in modules, into which `nodeArgs` can reach. */
export const programInModules = path.join(repository, "core/dist/cli/main.js");

const { NODE_V8_COVERAGE } = process.env;
/** So that `npm run coverage` counts the processes that tests start. */
const coverage: Record<string, string> = NODE_V8_COVERAGE === undefined ? {} : { NODE_V8_COVERAGE };

export interface RunOptions {
  env?: Record<string, string>;
  nodeArgs?: readonly string[];
  cwd?: string;
  /** Called with all of stderr so far. */
  onStderr?: (text: string, child: ChildProcess) => void;
  onStart?: (child: ChildProcess) => void;
  /** Of another installation; default: the one under test. */
  program?: string;
  /** Only root can be another user. */
  user?: User;
}

/** No command of a test runs for so long, also on a busy machine or in a guest, ms: what hangs is ended. */
const PATIENCE_MS = 300_000;

export const programFor = (nodeArgs: readonly string[]): string => (nodeArgs.length === 0 ? program : programInModules);

/** Runs the command line as a process of its own, without a terminal and without the caller's settings. */
export function holdstill(
  args: readonly string[],
  { env = {}, nodeArgs = [], cwd, onStderr, onStart, user, program: main = programFor(nodeArgs) }: RunOptions = {},
): Promise<CliRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...nodeArgs, main, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      ...(cwd === undefined ? {} : { cwd }),
      ...user,
      env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", ...coverage, ...env },
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
    const text = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text.stdout += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      text.stderr += chunk;
      onStderr?.(text.stderr, child);
    });
    onStart?.(child);
    child.once("error", reject);
    child.once("close", (exitCode) => {
      clearTimeout(timer);
      resolve({ ...text, exitCode, json: (): unknown => documentIn(text.stdout, args) });
    });
  });
}
