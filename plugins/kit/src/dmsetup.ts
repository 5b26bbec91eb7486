import type { Context } from "holdstill/plugin";
import { PluginError } from "./plugin-error.js";

/**
 * Runs dmsetup(8) and returns its output. Tables go through standard input: that of a crypt device contains its key, which must not
 * be in a list of processes.
 *
 * @throws PluginError BUSY, DMSETUP_FAILED
 */
export async function dmsetup(ctx: Pick<Context, "exec">, args: readonly string[], input = ""): Promise<string> {
  const { exitCode, stdout, stderr } = await ctx.exec("dmsetup", args, input === "" ? {} : { input });
  if (exitCode === 0) return stdout.trim();
  const message = `dmsetup ${args.join(" ")} failed: ${stderr.trim().replaceAll("\n", "; ")}`;
  if (/resource busy/i.test(stderr)) {
    throw new PluginError("BUSY", message, "`lsblk` and `fuser -vm` show what uses the device.");
  }
  const hint = "`dmsetup info -c`, `dmsetup table`, and the kernel's log (`dmesg | tail`) have more.";
  throw new PluginError("DMSETUP_FAILED", message, hint);
}

/** One target of a table, with `params` as the kernel prints them. Start and length in sectors. */
export interface Target {
  readonly start: number;
  readonly length: number;
  readonly type: string;
  readonly params: string;
}

export function parseTable(text: string): Target[] {
  return text.split("\n").flatMap((line) => {
    const [, start, length, type, params] = /^(\d+) (\d+) (\S+) ?(.*)$/.exec(line.trim()) ?? [];
    if (type === undefined || params === undefined) return [];
    return [{ start: Number(start), length: Number(length), type, params: params.trim() }];
  });
}

/** A line for each target, as dmsetup reads it. */
export function formatTable(table: readonly Target[]): string {
  return table.map(({ start, length, type, params }) => `${start} ${length} ${type} ${params}\n`).join("");
}
