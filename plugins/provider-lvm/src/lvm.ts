import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "holdstill/plugin";
import { PluginError } from "./errors.js";

/**
 * lvm does not wait for a lock, because a waiting lvm would look like one that hangs. dmeventd does not monitor what is made: it would
 * examine snapshots that are not taken yet. Messages come on stderr, also from newer versions, which put them into a JSON report. What
 * is read of a report does not depend on the host's lvm.conf.
 */
const settings = [
  "global { wait_for_locks = 0 test = 0 }",
  "activation { monitoring = 0 }",
  'report { time_format = "%s" list_item_separator = "," binary_values_as_numeric = 0 prefixes = 0 quoted = 1 }',
  "report { aligned = 1 buffered = 1 columns_as_rows = 0 compact_output = 0 mark_hidden_devices = 1 two_word_unknown_device = 0 }",
  "log { report_command_log = 0 silent = 0 verbose = 0 }",
];
/** Snapshots that live for minutes would leave thousands of files in /etc/lvm/archive, and a full /etc would keep them from being removed. */
const unarchived = "backup { backup = 0 archive = 0 }";
/** LVM would warn about Node's pipes, which are open in its child processes. */
const env = { LVM_SUPPRESS_FD_WARNINGS: "1" };

/** Between two tries for a lock, ms. */
const PAUSE = 200;
/** Time that remains of the call to report that the lock was not free, ms. */
const MARGIN = 2000;

/**
 * Runs an LVM command and returns its output. While another command has a volume group locked, it is tried again.
 *
 * @throws PluginError LOCKED, LVM_FAILED
 */
export async function lvm(ctx: Context, command: string, args: readonly string[]): Promise<string> {
  // A revert changes the origin: LVM archives that as the host has it.
  const config = (command === "lvconvert" ? settings : [...settings, unarchived]).join(" ");
  for (;;) {
    const { exitCode, stdout, stderr } = await ctx.exec("lvm", [command, "--config", config, ...args], { env });
    if (exitCode === 0) return stdout;
    const locked = /Can't get lock for (\S+?)\.?$/m.exec(stderr)?.[1];
    if (locked === undefined) throw failed(command, stderr);
    if (Date.now() + MARGIN > ctx.deadline) throw busy(locked);
    await sleep(PAUSE, undefined, { signal: ctx.signal });
  }
}

/** LVM's messages, without warnings if there are other messages. */
function failed(command: string, stderr: string): PluginError {
  const lines = stderr.split("\n").map((line) => line.trim());
  const errors = lines.filter((line) => line !== "" && !line.startsWith("WARNING:"));
  const message = `lvm ${command}: ${(errors.length > 0 ? errors : lines).join(" ").trim()}`;
  return new PluginError("LVM_FAILED", message, "`lvs -a` and the kernel's log (`dmesg | tail`) have more.");
}

function busy(locked: string): PluginError {
  const message = `Another LVM command has ${locked} locked.`;
  return new PluginError("LOCKED", message, `Wait for it, or find the process: fuser -v /run/lock/lvm/V_${locked}`);
}
