import { tmpdir } from "node:os";
import type { Context, Log } from "holdstill/plugin";

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

/** What the host would give a plugin that is called directly. It has no `exec`. */
export function context<Options>(options: Options, given: ContextOptions = {}): TestContext<Options> {
  const limitMs = given.limitMs ?? 60_000;
  const complaints: string[] = [];
  const complain = (message: string): void => void complaints.push(message);
  const log: Log = { debug: () => {}, info: () => {}, warn: complain, error: complain };
  return {
    options,
    signal: given.signal ?? AbortSignal.timeout(limitMs),
    deadline: Date.now() + limitMs,
    dataDir: given.dataDir ?? tmpdir(),
    log,
    complaints,
    progress: () => {},
    exec: async (command) => await Promise.reject(new Error(`${command}: this context runs nothing`)),
  };
}
