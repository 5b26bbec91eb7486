import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "holdstill/plugin";
import { PluginError } from "./errors.js";

/**
 * Does not wait for a lock: a waiting lvm could not be told from one that hangs. dmeventd is not told of what is made: it would
 * look at snapshots that have no snapshot yet. Complaints come on stderr, also from newer versions, which put them into a report in JSON.
 */
const settings = [
  "global { wait_for_locks = 0 }",
  "activation { monitoring = 0 }",
  'report { time_format = "%s" }',
  "log { report_command_log = 0 }",
].join(" ");
/** Node's pipes are open in our children, and none of LVM's business. */
const env = { LVM_SUPPRESS_FD_WARNINGS: "1" };

/** Between two tries for a lock, ms. */
const PAUSE = 200;
/** Time that the call keeps to say that it gave up, ms. */
const MARGIN = 2000;

/**
 * Runs one of LVM's commands, and answers what it wrote. While somebody else has a volume group locked, it is tried again.
 *
 * @throws PluginError LOCKED, LVM_FAILED
 */
export async function lvm(ctx: Context, command: string, args: readonly string[]): Promise<string> {
  for (;;) {
    const { exitCode, stdout, stderr } = await ctx.exec("lvm", [command, "--config", settings, ...args], { env });
    if (exitCode === 0) return stdout;
    const locked = /Can't get lock for (\S+?)\.?$/m.exec(stderr)?.[1];
    if (locked === undefined) throw failed(command, stderr);
    if (Date.now() + MARGIN > ctx.deadline) throw busy(locked);
    await sleep(PAUSE, undefined, { signal: ctx.signal });
  }
}

/** What LVM complains of, without its warnings where there is more than warnings. */
function failed(command: string, stderr: string): PluginError {
  const lines = stderr.split("\n").map((line) => line.trim());
  const said = lines.filter((line) => line !== "" && !line.startsWith("WARNING:"));
  const message = `lvm ${command}: ${(said.length > 0 ? said : lines).join(" ").trim()}`;
  return new PluginError("LVM_FAILED", message, "`lvs -a` and the kernel's log tell more.");
}

function busy(locked: string): PluginError {
  const message = `Another LVM command has ${locked} locked.`;
  return new PluginError("LOCKED", message, `Wait for it, or look who it is: fuser -v /run/lock/lvm/V_${locked}`);
}
