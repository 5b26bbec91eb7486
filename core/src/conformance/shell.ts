import { readFileSync } from "node:fs";
import path from "node:path";
import type { Who } from "../base/errors/details.js";
import { runProgram } from "../os/exec/exec.js";
import type { ExecOptions } from "../os/exec/options.js";

/** Tells what the fixture's commands start from what the plugin starts. */
export const MARK = "HOLDSTILL_CONFORMANCE";

const BACKGROUND_LINES = 10;

export interface Shell {
  who: Who;
  cwd: string;
  env: Readonly<Record<string, string>>;
  /** For the files that have the commands' output. */
  folder: string;
}

/** late: it was ended because it took too long. */
export type ShellResult = { is: "ended"; exitCode: number | null; output: string } | { is: "late"; output: string };

/** Runs the fixture's commands with sh. */
export class FixtureShell {
  readonly #where: Shell;

  constructor(where: Shell) {
    this.#where = where;
  }

  run(text: string, limitMs: number): Promise<ShellResult> {
    return this.#run(text, limitMs, "output", "end");
  }

  /** The same for `setup`, whose processes go on writing. */
  runSetup(text: string, limitMs: number): Promise<ShellResult> {
    return this.#run(text, limitMs, "setup-output", "leave");
  }

  /** A sentence with the last lines of `setup` and of what it started in the background; empty: there are none. */
  get background(): string {
    const lines = this.#written("setup-output").split("\n").slice(-BACKGROUND_LINES).join("\n");
    return lines === "" ? "" : `\nWhat \`setup\` started wrote last:\n${lines}`;
  }

  /** Output goes to a file: what a command starts in the background would keep a pipe open, and us waiting. */
  async #run(
    text: string,
    limitMs: number,
    name: string,
    leftovers: NonNullable<ExecOptions["leftovers"]>,
  ): Promise<ShellResult> {
    const { who, cwd, env, folder } = this.#where;
    const signal = AbortSignal.timeout(limitMs);
    // -u: a misspelt $WORK must not become the root of the file system.
    const script = `exec >"$1" 2>&1; shift\n${text}`;
    const args = ["-u", "-c", script, "conformance.json", path.join(folder, name)];
    const options = { cwd, env: { ...env, [MARK]: "1" }, leftovers };
    try {
      const { exitCode } = await runProgram({ who, command: "sh", args, options, signal });
      return { is: "ended", exitCode, output: this.#written(name) };
    } catch (error) {
      if (!signal.aborted) throw error;
      return { is: "late", output: this.#written(name) };
    }
  }

  #written(name: string): string {
    try {
      return readFileSync(path.join(this.#where.folder, name), "utf8").trim().slice(-1000);
    } catch {
      return "";
    }
  }
}
