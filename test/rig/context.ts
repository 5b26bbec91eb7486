import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import type { Context, ExecOptions, ExecResult } from "holdstill/plugin";

/** What a plugin under test said and did, beside the context that it gets. */
export interface Probe<Options> {
  ctx: Context<Options>;
  warnings: string[];
  progress: string[];
  /** Every program that ran, with its arguments. */
  ran: string[][];
}

/** A context for calling a plugin without the host. Programs are real processes, with the environment that the host gives. */
export function probeContext<Options>(
  options: Options,
  dataDir: string,
  signal = AbortSignal.timeout(60_000),
): Probe<Options> {
  const warnings: string[] = [];
  const progress: string[] = [];
  const ran: string[][] = [];
  const ctx: Context<Options> = {
    options,
    signal,
    deadline: Date.now() + 60_000,
    dataDir,
    log: {
      debug: ignore,
      info: ignore,
      warn: (message) => warnings.push(message),
      error: (message) => warnings.push(message),
    },
    progress: (message) => progress.push(message),
    exec: (command, args, execOptions) => {
      ran.push([command, ...args]);
      return run(command, args, signal, execOptions);
    },
  };
  return { ctx, warnings, progress, ran };
}

export interface TestContext<Options> extends Context<Options> {
  /** Each warning and error that the plugin logged. */
  readonly complaints: string[];
}

export interface ContextOptions {
  signal?: AbortSignal;
  /** Limit of the call, ms. */
  limitMs?: number;
  dataDir?: string;
}

/** The same for tests that look at complaints only. */
export function context<Options>(options: Options, given: ContextOptions = {}): TestContext<Options> {
  const limitMs = given.limitMs ?? 60_000;
  const { ctx, warnings } = probeContext(
    options,
    given.dataDir ?? tmpdir(),
    given.signal ?? AbortSignal.timeout(limitMs),
  );
  return { ...ctx, deadline: Date.now() + limitMs, complaints: warnings };
}

function run(
  command: string,
  args: readonly string[],
  signal: AbortSignal,
  options: ExecOptions = {},
): Promise<ExecResult> {
  return new Promise((resolve, reject) => {
    const env = { PATH: process.env["PATH"], HOME: "/", LANG: "C", LC_ALL: "C", ...options.env };
    const child = spawn(command, args, { env, signal, ...(options.cwd === undefined ? {} : { cwd: options.cwd }) });
    const output = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
    let failure: Error | undefined;
    child.on("error", (error) => (failure = error));
    // As the host does: a call that is given up ends with its program.
    child.on("close", (exitCode) => (failure === undefined ? resolve({ exitCode, ...output }) : reject(failure)));
    child.stdin.end(options.input);
  });
}

function ignore(): void {}
