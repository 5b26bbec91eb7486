import { existsSync } from "node:fs";
import { execa } from "execa";
import type { Who } from "../errors/details.js";
import { HoldstillError } from "../errors/error.js";
import type { ExecOptions, ExecResult } from "../plugin/context.js";
import { baseEnvironment } from "../system/environment.js";
import { Capture } from "./capture.js";
import { Group } from "./group.js";

/** What a command may write to stdout, and as much to stderr: characters. */
export const OUTPUT_LIMIT = 16 * 1024 * 1024;

export interface Command {
  who: Who;
  command: string;
  args: readonly string[];
  options: ExecOptions;
  /** Ends the command and all that it started. */
  signal: AbortSignal;
  /** Told how to end what the command left running, where `options.leftovers` lets it. */
  onLeft?: (end: () => void) => void;
}

/**
 * Runs a program as a process group of its own, and answers when it has ended; whatever it leaves in its group ends with it, or
 * is handed to `onLeft`. A non-zero exit code is an answer. Throws E_EXEC_MISSING, and an ordinary error when it writes too much
 * or is cut off.
 */
export async function run({ who, command, args, options, signal, onLeft }: Command): Promise<ExecResult> {
  signal.throwIfAborted();
  const { leftovers = "end" } = options;
  const kept = leftovers === "end" ? null : { stdout: new Capture(), stderr: new Capture() };
  try {
    const child = execa(command, args, {
      detached: true,
      extendEnv: false,
      env: { ...baseEnvironment(), LC_ALL: "C", ...options.env },
      ...(options.cwd !== undefined && { cwd: options.cwd }),
      ...(options.input === undefined ? { stdin: "ignore" } : { input: options.input }),
      // execa's types know the descriptors 3 to 9 only; it hands any to Node.
      ...(kept !== null && { stdout: kept.stdout.fd as 3, stderr: kept.stderr.fd as 3 }),
      maxBuffer: OUTPUT_LIMIT,
      stripFinalNewline: false,
      reject: false,
    });
    const group = new Group(child.pid);
    const limit = options.limitMs === undefined ? undefined : setTimeout(() => group.end(), options.limitMs);
    const end = (): void => group.end();
    signal.addEventListener("abort", end, { once: true });
    child.once("exit", () => {
      // What a command leaves behind would keep its pipes open, and the call with them.
      if (leftovers === "end" || group.isEnding) group.kill();
      else if (leftovers === "keep" && group.isAlive) onLeft?.(() => group.kill());
    });
    const result = await child;
    clearTimeout(limit);
    group.over();
    signal.removeEventListener("abort", end);

    signal.throwIfAborted();
    if (result.isMaxBuffer) {
      group.kill();
      throw new Error(`${command} wrote more than ${OUTPUT_LIMIT / 1024 / 1024} MiB`);
    }
    if (child.pid === undefined) throw notStarted(who, command, options.cwd, result.cause);
    const { stdout = "", stderr = "" } = result;
    return {
      // A program may answer SIGTERM with an exit code of its own; it was cut off all the same.
      exitCode: group.isEnding ? null : (result.exitCode ?? null),
      stdout: kept?.stdout.text() ?? stdout,
      stderr: kept?.stderr.text() ?? stderr,
    };
  } finally {
    kept?.stdout.close();
    kept?.stderr.close();
  }
}

function notStarted(who: Who, command: string, cwd: string | undefined, cause: unknown): Error {
  const code = typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : "";
  if (cwd !== undefined && !existsSync(cwd))
    return new Error(`${command} cannot run in ${cwd}: there is no such folder`);
  if (code === "ENOENT") return new HoldstillError("E_EXEC_MISSING", { who, command });
  return new Error(`${command} cannot be run: ${code}`, { cause });
}
