import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { text } from "node:stream/consumers";
import type { Readable } from "node:stream";
import { HoldstillError, isHoldstillError } from "../../base/errors/error.js";
import { inMountTree, type MountTree, readyFd } from "./mount-tree.js";

export interface Foreground {
  command: readonly string[];
  /** null: the command sees what all processes see. */
  mountTree: MountTree | null;
  env: Readonly<Record<string, string>>;
  /** Where the command's stdout goes. */
  stdout: "stdout" | "stderr";
  /** Inherited as descriptor 3; null: none. */
  fd: number | null;
  /** Aborted with E_INTERRUPTED: the command gets the same signal. */
  signal: AbortSignal;
}

/** How a command ended. If a signal ended it, `exitCode` is 128 plus the signal's number, as in a shell. */
export interface CommandEnd {
  exitCode: number;
  signal: NodeJS.Signals | null;
}

/**
 * Runs a command with this process's terminal, and waits for its end whatever signals arrive: the command decides what to do about them.
 *
 * @throws HoldstillError E_MIRROR when the snapshots could not be mounted. Then the command was not started.
 */
export async function runForeground(work: Foreground): Promise<CommandEnd> {
  const { mountTree, command, env, signal } = work;
  signal.throwIfAborted();
  const [program = "", ...args] = mountTree === null ? command : inMountTree(mountTree, command);
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: [
      "inherit",
      work.stdout === "stdout" ? 1 : 2,
      "inherit",
      work.fd ?? "ignore",
      ...(mountTree === null ? [] : ["pipe" as const]),
    ],
  });
  const forward = (): void => {
    const name = signalOf(signal.reason);
    if (name !== "SIGINT" || !isForeground()) child.kill(name);
  };
  signal.addEventListener("abort", forward, { once: true });
  try {
    const pipe = child.stdio[readyFd] as Readable | undefined;
    const [[exitCode, by], ready] = await Promise.all([ended(child), pipe === undefined ? "" : text(pipe)]);
    // Ctrl-C also ends the mounting.
    if (mountTree !== null && ready === "") {
      signal.throwIfAborted();
      throw new HoldstillError("E_MIRROR", { reason: "see the messages of mount above" });
    }
    return { exitCode: exitCode ?? 128 + constants.signals[by ?? "SIGKILL"], signal: by };
  } finally {
    signal.removeEventListener("abort", forward);
  }
}

async function ended(child: ReturnType<typeof spawn>): Promise<[number | null, NodeJS.Signals | null]> {
  return (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
}

function signalOf(reason: unknown): NodeJS.Signals {
  const name = isHoldstillError(reason) && reason.code === "E_INTERRUPTED" ? reason.details : null;
  return name !== null && "signal" in name && name.signal in constants.signals
    ? (name.signal as NodeJS.Signals)
    : "SIGTERM";
}

/** Ctrl-C reaches every process of the terminal's foreground group: the command has received it already. proc_pid_stat(5), fields 5 and 8. */
function isForeground(): boolean {
  const stat = readFileSync("/proc/self/stat", "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[2] === fields[5];
}
