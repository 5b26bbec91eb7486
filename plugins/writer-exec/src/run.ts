import type { Context, ExecResult } from "holdstill/plugin";
import { PluginError } from "./errors.js";
import type { Call } from "./hook.js";
import type { Options } from "./options.js";

/** What a call may use up beside the program: from SIGTERM to SIGKILL, and the way back, ms. */
const MARGIN_MS = 800;

/**
 * Runs a hook, again if its convention says so. It gets its share of the time that is left, so that whoever hangs is named and
 * the others are still called. Throws PluginError HOOK_FAILED or HOOK_HUNG.
 *
 * @param share How many calls have to make do with the time, this one included.
 */
export async function run(ctx: Context<Options>, { leftovers, share }: RunOptions, call: Call): Promise<void> {
  const { program, args, retries = 0, warnings = [] } = call;
  for (let left = retries; ; left -= 1) {
    const limitMs = limitOf(call, ctx.deadline, share);
    const result = await ctx.exec(program, args, { limitMs, leftovers });
    logOutput(ctx, call, result);
    if (result.exitCode === 0) return;
    if (result.exitCode !== null && warnings.includes(result.exitCode)) {
      ctx.log.warn(`${shown(call)} ended with ${result.exitCode}, a warning${lastWords(result)}`);
      return;
    }
    if (result.exitCode === null || left === 0) throw errorOf(call, result, limitMs);
    ctx.log.warn(`${shown(call)} ended with ${result.exitCode} and is tried again${lastWords(result)}`);
  }
}

export interface RunOptions {
  /** See ExecOptions: a freeze may leave somebody who holds a lock, a thaw a service. */
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

function errorOf(call: Call, result: ExecResult, limitMs: number): PluginError {
  if (result.exitCode === null) {
    const hint = "Run it by hand and see what it waits for; it was ended together with all that it started.";
    const message = `${shown(call)} did not end in ${(limitMs / 1000).toFixed(1)} s, or was killed${lastWords(result)}`;
    return new PluginError("HOOK_HUNG", message, hint);
  }
  const hint = "Run it by hand; what it printed is in the log at level debug.";
  return new PluginError("HOOK_FAILED", `${shown(call)} ended with ${result.exitCode}${lastWords(result)}`, hint);
}

function lastWords({ stdout, stderr }: ExecResult): string {
  const line = (stderr.trim() === "" ? stdout : stderr).trim().split("\n").at(-1) ?? "";
  return line === "" ? "" : `: ${line.slice(0, 200)}`;
}
