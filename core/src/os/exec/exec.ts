import { existsSync } from "node:fs";
import { execa } from "execa";
import type { Who } from "../../base/errors/details.js";
import { HoldstillError } from "../../base/errors/error.js";
import type { ExecOptions, ExecResult } from "./options.js";
import { baseEnvironment } from "../environment.js";
import { Capture } from "./capture.js";
import { canMakeReadOnlyNamespace, inReadOnlyNamespace } from "./read-only-namespace.js";
import { ProcessGroup } from "./process-group.js";
import { DieWithParentPipe } from "./die-with-parent.js";
import { destroyPipes } from "./pipes.js";
import { isProgram } from "./program.js";

/** What a command may write to stdout, and as much to stderr: characters. */
export const OUTPUT_LIMIT = 16 * 1024 * 1024;

/** What a shell ends with when a program may not be run, and when there is none. */
const NOT_RUN: readonly unknown[] = [126, 127];

/** Where one of them is missing, or ioprio_set(2) is forbidden, as in some containers, the command runs all the same. */
const background = [
  ["nice", "-n", "10"],
  ["ionice", "--ignore", "--class", "2", "--classdata", "7"],
] as const;

export interface CommandSpec {
  who: Who;
  command: string;
  args: readonly string[];
  options: ExecOptions;
  /** Ends the command and all that it started. */
  signal: AbortSignal;
  /** Told how to end what the command left running, where `options.leftovers` lets it. */
  onLeft?: (end: () => void) => void;
  /** Told when the command is not kept to `options.writable`, because this process may not mount. */
  onUnconfined?: () => void;
}

/**
 * Runs a program as a process group of its own, and answers when it has ended; whatever it leaves in its group ends with it, or
 * is handed to `onLeft`. Until then the group ends with this process, also when that is killed. A non-zero exit code is an
 * answer. Throws E_EXEC_MISSING, and an ordinary error when it writes too much or is cut off.
 */
export async function runProgram(work: CommandSpec): Promise<ExecResult> {
  const { who, command, options, signal, onLeft } = work;
  signal.throwIfAborted();
  const { leftovers = "end" } = options;
  const env: Record<string, string> = { ...baseEnvironment(), LC_ALL: "C", ...options.env };
  const [program, args] = lineOf(work, env["PATH"]);
  const kept = leftovers === "end" ? null : { stdout: new Capture(), stderr: new Capture() };
  const parentPipe = new DieWithParentPipe();
  let keeps = false;
  try {
    const child = execa(...DieWithParentPipe.wrap(program, args), {
      detached: true,
      extendEnv: false,
      env,
      ...(options.cwd !== undefined && { cwd: options.cwd }),
      ...(options.input !== undefined && { input: options.input }),
      // execa's types know the descriptors 3 to 9 only; it hands any to Node.
      stdio: [
        options.input === undefined ? "ignore" : "pipe",
        kept === null ? "pipe" : (kept.stdout.fd as 3),
        kept === null ? "pipe" : (kept.stderr.fd as 3),
        parentPipe.fd as 3,
      ],
      maxBuffer: OUTPUT_LIMIT,
      stripFinalNewline: false,
      reject: false,
    });
    const group = new ProcessGroup(child.pid);
    const limit = options.limitMs === undefined ? undefined : setTimeout(() => group.end(), options.limitMs);
    const end = (): void => group.end();
    signal.addEventListener("abort", end, { once: true });
    child.once("exit", () => {
      // What a command leaves behind would keep its pipes open, and the call with them.
      if (leftovers === "end" || group.isEnding) {
        group.kill();
        void destroyPipes([child.stdout, child.stderr]);
      } else if (leftovers === "leave" || onLeft === undefined) parentPipe.letGo();
      else {
        keeps = true;
        onLeft(() => {
          group.kill();
          parentPipe.close();
        });
      }
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
    if (child.pid === undefined) throw notStarted(command, options.cwd, result.cause);
    if (NOT_RUN.includes(result.exitCode) && !isProgram(command, env["PATH"]))
      throw new HoldstillError("E_EXEC_MISSING", { who, command });
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
    if (!keeps) parentPipe.close();
  }
}

/** The command line, kept to what it may write to, and to its place behind others. */
function lineOf(
  { command, args, options, onUnconfined }: CommandSpec,
  searchPath: string | undefined,
): [string, readonly string[]] {
  const behind =
    options.priority === "background" ? background.filter(([name]) => isProgram(name, searchPath)).flat() : [];
  const [program = command, ...rest] = [...behind, command, ...args];
  if (options.writable === undefined) return [program, rest];
  if (canMakeReadOnlyNamespace()) return inReadOnlyNamespace(options.writable, program, rest);
  onUnconfined?.();
  return [program, rest];
}

function notStarted(command: string, cwd: string | undefined, cause: unknown): Error {
  if (cwd !== undefined && !existsSync(cwd))
    return new Error(`${command} cannot run in ${cwd}: there is no such folder`);
  const code = typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : "";
  return new Error(`${command} cannot be run: ${code}`, { cause });
}
