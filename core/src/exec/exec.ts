import { existsSync } from "node:fs";
import { execa } from "execa";
import type { Who } from "../errors/details.js";
import { HoldstillError } from "../errors/error.js";
import type { ExecOptions, ExecResult } from "../plugin/context.js";
import { baseEnvironment } from "../system/environment.js";

/** What a command may write to stdout, and as much to stderr: characters. */
export const OUTPUT_LIMIT = 16 * 1024 * 1024;
/** From SIGTERM to SIGKILL. */
const GRACE_MS = 500;

export interface Command {
  who: Who;
  command: string;
  args: readonly string[];
  options: ExecOptions;
  /** Ends the command and all that it started. */
  signal: AbortSignal;
}

/**
 * Runs a program as a process group of its own, and answers when it has ended; whatever it leaves in its group ends with it.
 * A non-zero exit code is an answer. Throws E_EXEC_MISSING, and an ordinary error when it writes too much or is cut off.
 */
export async function run({ who, command, args, options, signal }: Command): Promise<ExecResult> {
  signal.throwIfAborted();
  const child = execa(command, args, {
    detached: true,
    extendEnv: false,
    env: { ...baseEnvironment(), LC_ALL: "C", ...options.env },
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    ...(options.input === undefined ? { stdin: "ignore" } : { input: options.input }),
    maxBuffer: OUTPUT_LIMIT,
    stripFinalNewline: false,
    reject: false,
  });
  const group = groupOf(child.pid);
  signal.addEventListener("abort", group.end, { once: true });
  // What a command leaves behind would keep its pipes open, and the call with them.
  child.once("exit", group.kill);
  const result = await child;
  group.over();
  signal.removeEventListener("abort", group.end);

  signal.throwIfAborted();
  if (result.isMaxBuffer) {
    group.kill();
    throw new Error(`${command} wrote more than ${OUTPUT_LIMIT / 1024 / 1024} MiB`);
  }
  if (child.pid === undefined) throw notStarted(who, command, options.cwd, result.cause);
  return { exitCode: result.exitCode ?? null, stdout: result.stdout, stderr: result.stderr };
}

interface Group {
  /** SIGTERM, and later SIGKILL. */
  end: () => void;
  kill: () => void;
  over: () => void;
}

/** Signals for the whole process group, which has the id of its first process. */
function groupOf(pid: number | undefined): Group {
  let timer: NodeJS.Timeout | undefined;
  const send = (signal: NodeJS.Signals): void => {
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // ESRCH: there is nobody left in it.
    }
  };
  const kill = (): void => send("SIGKILL");
  return {
    kill,
    end() {
      send("SIGTERM");
      timer = setTimeout(kill, GRACE_MS);
    },
    over: () => clearTimeout(timer),
  };
}

function notStarted(who: Who, command: string, cwd: string | undefined, cause: unknown): Error {
  const code = typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : "";
  if (cwd !== undefined && !existsSync(cwd))
    return new Error(`${command} cannot run in ${cwd}: there is no such folder`);
  if (code === "ENOENT") return new HoldstillError("E_EXEC_MISSING", { who, command });
  return new Error(`${command} cannot be run: ${code}`, { cause });
}
