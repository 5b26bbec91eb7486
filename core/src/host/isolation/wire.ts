/** The messages between the host and a worker: the same over a MessagePort (thread) and an IPC channel (process). */
import type { MessagePort } from "node:worker_threads";
import type { ExecOptions, ExecResult } from "../../os/exec/options.js";
import type { PluginOp, Role } from "./operations.js";

export type LogLevel = "debug" | "info" | "warn" | "error";

/** The data that a worker is started with. */
export interface Start {
  role: Role;
  /** The plugin's entry, absolute. */
  entry: string;
  options: Readonly<Record<string, unknown>>;
  dataDir: string;
}
/** The argument of the worker's one task; a process has no port. */
export interface Task {
  start: Start;
  port: MessagePort | null;
}

/** An exception as data. Structured clone would drop `code` and `hint`, and refuse some errors altogether. */
export interface PluginFault {
  message: string;
  code?: string;
  hint?: string;
  details?: unknown;
  stack?: string;
  cause?: PluginFault;
}

export type ToWorker =
  | { type: "call"; id: number; op: PluginOp; args: readonly unknown[]; limitMs: number }
  | { type: "abort"; id: number }
  | { type: "exec-done"; id: number; result: ExecResult }
  | { type: "exec-failed"; id: number; fault: PluginFault };

export type FromWorker =
  | { type: "ready"; ops: string[] }
  | { type: "refused"; reason: string }
  | { type: "answer"; id: number; value: unknown }
  | { type: "failed"; id: number; fault: PluginFault }
  | { type: "uncloneable"; id: number; reason: string }
  | { type: "too-large"; id: number }
  | { type: "log"; level: LogLevel; message: string; fields?: Record<string, unknown> }
  | { type: "progress"; message: string; done?: number; total?: number }
  | { type: "exec"; id: number; call: number; command: string; args: string[]; options: ExecOptions }
  | { type: "dying"; reason: string };

/** Distinguishes these messages from those of tinypool and from what a plugin sends itself. */
interface Envelope {
  holdstill: 1;
  message: unknown;
}
export const wrapMessage = (message: ToWorker | FromWorker): Envelope => ({ holdstill: 1, message });

/** What the host receives; null: another message. */
export const fromWorker = (value: unknown): FromWorker | null =>
  isEnvelope(value) ? (value.message as FromWorker) : null;
/** What a worker receives. */
export const toWorker = (value: unknown): ToWorker | null => (isEnvelope(value) ? (value.message as ToWorker) : null);

function isEnvelope(value: unknown): value is Envelope {
  return typeof value === "object" && value !== null && "holdstill" in value && value.holdstill === 1;
}
