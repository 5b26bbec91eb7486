/**
 * The messages between the host and a worker, as JSON: the same over a MessagePort (thread) and a socket (process). Text cannot hold
 * what JSON has not, and its length is known before anything is made of it.
 */
import type { MessagePort } from "node:worker_threads";
import type { ExecOptions, ExecResult } from "../../os/exec/options.js";
import { LONGEST_LINE } from "./host/output.js";
import { ANSWER_LIMIT, DEPTH_LIMIT, isDeeper, type Unfit } from "./data.js";
import type { PluginOp, Role } from "./operations.js";

export const logLevels = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof logLevels)[number];

/** The data that a worker is started with. */
export interface Start {
  role: Role;
  /** The plugin's entry, absolute. */
  entry: string;
  options: Readonly<Record<string, unknown>>;
  dataDir: string;
  /** The contract version that both speak. */
  protocol: number;
  host: { readonly version: string };
}
/** The argument of a thread's one task. */
export interface Task {
  port: MessagePort;
  /** The bytes of a program's stdin and stdout. null: it has closed its stdout. */
  program?: MessagePort;
}

/** An exception as data: anything can be thrown. */
export interface PluginFault {
  message: string;
  code?: string;
  hint?: string;
  details?: unknown;
  stack?: string;
  cause?: PluginFault;
}

export type ToWorker =
  | { type: "start"; start: Start }
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
  | { type: "unfit"; id: number; unfit: Unfit }
  | { type: "log"; level: LogLevel; message: string; fields?: Record<string, unknown> }
  | { type: "progress"; message: string; done?: number; total?: number }
  | { type: "exec"; id: number; call: number; command: string; args: string[]; options: ExecOptions }
  | { type: "dying"; reason: string };

/** The longest message: a result, and what is around it. */
export const MESSAGE_LIMIT = ANSWER_LIMIT + 64 * 1024;

/** In one line. */
export const encodeMessage = (message: ToWorker | FromWorker): string => JSON.stringify(message);

/** The worker trusts its host. */
export const toWorker = (text: string): ToWorker => JSON.parse(text) as ToWorker;

/** A message of a worker, which may be the work of the plugin itself; null: it is none. */
export function fromWorker(text: string): FromWorker | null {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return null;
  }
  // In this order, because what follows goes through it by recursion.
  if (isDeeper(message, DEPTH_LIMIT + 3)) return null;
  return isObject(message) && isFromWorker(message) ? message : null;
}

type Fields = Record<string, unknown>;

function isFromWorker(one: Fields): one is Fields & FromWorker {
  switch (one["type"] as FromWorker["type"]) {
    case "ready":
      return isTexts(one["ops"]);
    case "answer":
      return isNumber(one["id"]);
    case "failed":
      return isNumber(one["id"]) && isFault(one["fault"]);
    case "uncloneable":
      return isNumber(one["id"]) && isText(one["reason"]);
    case "unfit":
      return isNumber(one["id"]) && isUnfit(one["unfit"]);
    case "log":
      return logLevels.some((level) => level === one["level"]) && isText(one["message"]) && isOptional(one["fields"]);
    case "progress":
      return isText(one["message"]) && isCount(one["done"]) && isCount(one["total"]);
    case "exec":
      return (
        isNumber(one["id"]) &&
        isNumber(one["call"]) &&
        isString(one["command"]) &&
        isTexts(one["args"]) &&
        isObject(one["options"])
      );
    case "refused":
    case "dying":
      return isText(one["reason"]);
    default:
      return false;
  }
}

function isFault(value: unknown): value is PluginFault {
  if (!isObject(value) || !isText(value["message"])) return false;
  const { code, hint, stack, cause } = value;
  return (
    [code, hint, stack].every((text) => text === undefined || isText(text)) && (cause === undefined || isFault(cause))
  );
}

const isUnfit = (value: unknown): value is Unfit =>
  isObject(value) && isText(value["pointer"]) && isText(value["seen"]) && isText(value["expected"]);
/** For a person: the worker cuts such texts, and may put a few words before them. */
const isText = (value: unknown): value is string => isString(value) && value.length <= 2 * LONGEST_LINE;
const isString = (value: unknown): value is string => typeof value === "string";
const isNumber = (value: unknown): value is number => typeof value === "number";
const isCount = (value: unknown): value is number | undefined => value === undefined || isNumber(value);
const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isString);
const isOptional = (value: unknown): boolean => value === undefined || isObject(value);
const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
