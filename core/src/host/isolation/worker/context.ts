import { inspect } from "node:util";
import type { Context, Log } from "../../contract/context.js";
import type { LogLevel, Start } from "../wire.js";
import type { WorkerCommands } from "./commands.js";
import { firstUnfit } from "../data.js";
import { LONGEST_LINE } from "../host/output.js";
import { Quota, isOverQuota } from "../host/quota.js";
import type { Link } from "./link.js";

/** The context of one call. */
export function callContext(
  call: { id: number; limitMs: number; signal: AbortSignal },
  start: Start,
  link: Link,
  commands: WorkerCommands,
): Context {
  const until = performance.now() + call.limitMs;
  return {
    options: start.options,
    dataDir: start.dataDir,
    protocol: start.protocol,
    host: start.host,
    signal: call.signal,
    // By the current clock, which may be set during the call.
    get deadline() {
      return Date.now() + until - performance.now();
    },
    ...reportsTo(link),
    exec: (command, args, options) => commands.run(call.id, command, args, options),
  };
}

/** Of this worker, which has one plugin. */
const quota = new Quota();

function isSilenced(link: Link): boolean {
  const taken = quota.take();
  if (taken === "last") link.post({ type: "log", level: "warn", message: isOverQuota });
  return taken !== "passed";
}

/** What a plugin may report at any time, also between two calls. */
export function reportsTo(link: Link): Pick<Context, "log" | "progress"> {
  return {
    log: logTo(link),
    progress(message, done, total) {
      if (isSilenced(link)) return;
      link.post({
        type: "progress",
        message: text(message),
        ...(typeof done === "number" && { done }),
        ...(typeof total === "number" && { total }),
      });
    },
  };
}

function logTo(link: Link): Log {
  const at =
    (level: LogLevel) =>
    (message: string, fields?: Record<string, unknown>): void => {
      if (isSilenced(link)) return;
      link.post({
        type: "log",
        level,
        message: text(message),
        ...(fields !== undefined && { fields: asData(fields) }),
      });
    };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** A log line must not fail because a plugin logs a socket, and must not fill the host's memory. */
function asData(fields: Record<string, unknown>): Record<string, unknown> {
  if (firstUnfit(fields, LONGEST_LINE) === null) return fields;
  return { text: inspect(fields, { depth: 2, breakLength: Infinity, maxStringLength: 1000 }).slice(0, LONGEST_LINE) };
}

/** A value from a plugin without types. */
function text(message: unknown): string {
  return (typeof message === "string" ? message : inspect(message, { depth: 2 })).slice(0, LONGEST_LINE);
}
