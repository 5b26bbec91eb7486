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
import { installedProgram } from "../path/programs.js";

/** What a command may write to stdout, and the same to stderr: characters. */
export const OUTPUT_LIMIT = 16 * 1024 * 1024;

/** A shell's exit codes for a program that cannot be executed, and for one that does not exist. */
const NOT_RUN: readonly unknown[] = [126, 127];

/** If one of them is missing, or ioprio_set(2) is forbidden, as in some containers, the command still runs. */
const background = [
  ["nice", "-n", "3"],
  ["ionice", "--ignore", "--class", "2", "--classdata", "7"],
] as const;

export interface CommandSpec {
  who: Who;
  command: string;
  args: readonly string[];
  options: ExecOptions;
  /** Ends the command and everything that it started. */
  signal: AbortSignal;
  /** Receives the function that ends what the command left running, if `options.leftovers` allows that. */
  onLeft?: (end: () => void) => void;
  /** Called if the command is not limited to `options.writable`, because this process may not mount. */
  onNoNamespace?: () => void;
}

/**
 * Runs a program as its own process group, and returns when it has ended. What it leaves in its group ends with it, or is passed to
 * `onLeft`. Until then the group ends with this process, also if that is killed. A non-zero exit code is a result. Throws
 * E_EXEC_MISSING, E_NATIVE_MISSING, and an ordinary error if the program writes too much or is cut off.
 */
export async function runProgram(work: CommandSpec): Promise<ExecResult> {
  const { who, command, options, signal, onLeft } = work;
  signal.throwIfAborted();
  const { leftovers = "end" } = options;
  const env: Record<string, string> = { ...baseEnvironment(), LC_ALL: "C", ...options.env };
  const [program, args] = lineOf(work);
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
      // execa's types have only the descriptors 3 to 9; it passes any to Node.
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
      // What a command leaves behind would keep its pipes open, and the call waiting.
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
      // A program may react to SIGTERM with an exit code; it was cut off nevertheless.
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

/** The command line, with what limits its writes and its priority. */
function lineOf({ command, args, options, onNoNamespace }: CommandSpec): [string, readonly string[]] {
  const prefix = options.priority === "background" ? background.flatMap(asStarted) : [];
  const [program = command, ...rest] = [...prefix, command, ...args];
  if (options.writable === undefined) return [program, rest];
  if (canMakeReadOnlyNamespace()) return inReadOnlyNamespace(options.writable, program, rest);
  onNoNamespace?.();
  return [program, rest];
}

function asStarted([name, ...args]: readonly [string, ...string[]]): string[] {
  const program = installedProgram(name);
  return program === null ? [] : [program, ...args];
}

function notStarted(command: string, cwd: string | undefined, cause: unknown): Error {
  if (cwd !== undefined && !existsSync(cwd))
    return new Error(`${command} cannot run in ${cwd}: the folder does not exist`);
  const code = typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : "";
  return new Error(`${command} cannot be run: ${code}`, { cause });
}
