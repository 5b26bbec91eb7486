import path from "node:path";
import type { Op, Role } from "#core/host/isolation/operations.js";
import type { PluginSpec, SessionHooks } from "#core/host/isolation/session.js";

/** The plugins that misbehave where they are told to; see test/plugins-that. */
export const pluginsThat = path.resolve(import.meta.dirname, "../../plugins-that");

export type Fault =
  | "throws"
  | "rejects-non-error"
  | "rejects-null"
  | "rejects-unhandled"
  | "hangs"
  | "spins"
  | "blocks"
  | "stuck"
  | "exits"
  | "out-of-memory"
  | "nonsense"
  | "uncloneable"
  | "late";

export interface Misbehaviour {
  in?: Op;
  does?: Fault;
  when?: "before" | "after";
  delayMs?: number;
}

/** writer-that with its application in `dir`, or provider-that with its store there. */
export function specOf<R extends Role>(
  role: R,
  runtime: PluginSpec["runtime"],
  dir: string,
  misbehaviour: Misbehaviour = {},
): PluginSpec<R> {
  const plugin = `${role}-that`;
  return {
    who: { role, instance: "it", plugin, version: "1.0.0" },
    entry: path.join(pluginsThat, plugin, "index.js"),
    runtime,
    memoryMb: 32,
    commands: [],
    environment: {},
    options: { [role === "writer" ? "app" : "store"]: dir, ...misbehaviour },
    dataDir: dir,
  };
}

/** Hooks that keep what they are told. */
export function listening(): SessionHooks & { lines: string[]; progress: string[] } {
  const lines: string[] = [];
  const progress: string[] = [];
  return {
    lines,
    progress,
    onLog: (level, message) => void lines.push(`${level} ${message}`),
    onProgress: (message) => void progress.push(message),
  };
}
