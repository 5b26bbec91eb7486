import type { Context, ExecResult } from "holdstill/plugin";
import { PluginError } from "./errors.js";
import type { Call } from "./hook.js";
import type { Options } from "./options.js";
import { scriptProblem } from "./script.js";

/** What a call may use in addition to the program's time, ms: from SIGTERM to SIGKILL, and the answer. */
const MARGIN_MS = 800;

/**
 * Runs a hook, again if its convention says so. It gets its share of the time that is left, so that one that hangs is named, and
 * the others still run.
 *
 * @throws PluginError HOOK_FAILED, HOOK_HUNG
 *
 * @param share How many calls share the time, this one included.
 */
export async function run(ctx: Context<Options>, { leftovers, share }: RunOptions, call: Call): Promise<void> {
  const { program, args, retries = 0, warnings = [] } = call;
  for (let left = retries; ; left -= 1) {
    const limitMs = limitOf(call, ctx.deadline, share);
    const result = await ctx.exec(program, args, { limitMs, leftovers });
    logOutput(ctx, call, result);
    if (result.exitCode === 0) return;
    if (result.exitCode !== null && warnings.includes(result.exitCode)) {
      ctx.log.warn(`${shown(call)} exited with ${result.exitCode}, a warning${lastLineOf(result)}`);
      return;
    }
    if (result.exitCode === null || left === 0) throw await errorOf(call, result, limitMs);
    ctx.log.warn(`${shown(call)} exited with ${result.exitCode} and will be tried again${lastLineOf(result)}`);
  }
}

export interface RunOptions {
  /** See ExecOptions: a freeze may leave a process that holds a lock, and a thaw a service. */
  leftovers: "keep" | "leave";
  share: number;
}

export const shown = ({ program, args }: Call): string => [program, ...args].join(" ");

function limitOf(call: Call, deadline: number, share: number): number {
  const left = deadline - Date.now();
  const own = Math.max(1, (left - Math.min(MARGIN_MS, left / 2)) / share);
  return Math.min(own, call.limitMs ?? own);
}

function logOutput(ctx: Context<Options>, call: Call, { stdout, stderr }: ExecResult): void {
  for (const line of `${stdout}\n${stderr}`.split("\n")) {
    if (line.trim() !== "") ctx.log.debug(line.slice(0, 2000), { program: call.program });
  }
}

/** A shell's exit codes for a command that cannot be run, and for one that does not exist. */
const notFound: readonly number[] = [126, 127];

async function errorOf(call: Call, result: ExecResult, limitMs: number): Promise<PluginError> {
  if (result.exitCode === null) {
    const hint = "Run it manually and find out what it waits for. It was ended with everything that it started.";
    const message = `${shown(call)} did not end in ${(limitMs / 1000).toFixed(1)} s, or was killed${lastLineOf(result)}`;
    return new PluginError("HOOK_HUNG", message, hint);
  }
  const problem = notFound.includes(result.exitCode) ? await scriptProblem(call.program) : undefined;
  const hint = problem?.hint ?? "Run it manually. Its output is in the log at level debug.";
  const why = problem === undefined ? "" : `: ${problem.message}`;
  return new PluginError(
    "HOOK_FAILED",
    `${shown(call)} exited with ${result.exitCode}${why}${lastLineOf(result)}`,
    hint,
  );
}

function lastLineOf({ stdout, stderr }: ExecResult): string {
  const line = (stderr.trim() === "" ? stdout : stderr).trim().split("\n").at(-1) ?? "";
  return line === "" ? "" : `: ${line.slice(0, 200)}`;
}
