import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { isHoldstillError } from "../../base/errors/error.js";
import type { CommandEnd } from "../../base/schema/types.js";
import { inMountNamespace } from "./mount-namespace.js";
import { type MountTree, mountTree } from "./mount-tree.js";
import { type Member, membersOf, ownNamespace } from "./namespace-members.js";

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

export interface ForegroundEnd {
  readonly end: CommandEnd;
  /** Processes of the command that go on, in its mount namespace: what they read of the snapshots from now on is missing. */
  readonly left: readonly Member[];
}

/**
 * Runs a command with this process's terminal, and waits for its end whatever signals arrive: the command decides what to do about them.
 *
 * @throws HoldstillError E_MIRROR, E_PATH_* when the snapshots could not be mounted. Then the command was not started.
 */
export async function runForeground(work: Foreground): Promise<ForegroundEnd> {
  const { mountTree: tree, signal } = work;
  signal.throwIfAborted();
  const { child, namespace } =
    tree === null
      ? { child: start(work), namespace: null }
      : inMountNamespace(() => {
          mountTree(tree, "holdstill");
          return { child: start(work), namespace: ownNamespace() };
        });
  const forward = (): void => {
    const name = signalOf(signal.reason);
    if (name !== "SIGINT" || !isForeground()) child.kill(name);
  };
  signal.addEventListener("abort", forward, { once: true });
  try {
    const [exitCode, by] = await ended(child);
    const end = { exitCode: exitCode ?? 128 + constants.signals[by ?? "SIGKILL"], signal: by };
    return { end, left: namespace === null ? [] : membersOf(namespace) };
  } finally {
    signal.removeEventListener("abort", forward);
  }
}

function start({ command: [program = "", ...args], env, stdout, fd }: Foreground): ChildProcess {
  return spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ["inherit", stdout === "stdout" ? 1 : 2, "inherit", fd ?? "ignore"],
  });
}

async function ended(child: ChildProcess): Promise<[number | null, NodeJS.Signals | null]> {
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
