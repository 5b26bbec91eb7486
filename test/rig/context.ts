import { tmpdir } from "node:os";
import type { Context } from "holdstill/plugin";
import { run } from "#core/os/exec/exec.js";

/** What a plugin under test said and did, beside the context that it gets. */
export interface Probe<Options> {
  ctx: Context<Options>;
  warnings: string[];
  progress: string[];
  /** Every program that ran, with its arguments. */
  ran: string[][];
}

/** A context for calling a plugin without the host. Programs are run as the host runs them. */
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
    exec: async (command, args, execOptions = {}) => {
      ran.push([command, ...args]);
      const onUnconfined = (): unknown => warnings.push(`${command} is not confined`);
      return await run({ who, command, args, options: execOptions, signal, onUnconfined });
    },
  };
  return { ctx, warnings, progress, ran };
}

const who = { role: "writer", instance: "it", plugin: "under-test", version: "1.0.0" } as const;

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

function ignore(): void {}
