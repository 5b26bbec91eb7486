/** Speaks JSON-RPC 2.0 with a plugin that is a program, framed as in the Language Server Protocol: schemas/contract-methods.v1.json. */
import { PassThrough, Writable } from "node:stream";
import type { MessagePort } from "node:worker_threads";
import {
  CancellationTokenSource,
  createMessageConnection,
  type DataCallback,
  type Disposable,
  ErrorCodes,
  type Message,
  type MessageConnection,
  ResponseError,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-jsonrpc/node";
import type { Context } from "../../contract/context.js";
import type { CallContext, ErrorData, Initialize } from "../../contract/program.js";
import type { ExecOptions, ExecResult } from "../../../os/exec/options.js";
import { Rate, tooLong, tooMany, unknown } from "../host/intake.js";
import { DEPTH_LIMIT, isDeeper } from "../data.js";
import { type LogLevel, logLevels, MESSAGE_LIMIT, type Start } from "../wire.js";
import { reportsTo } from "./context.js";
import { toPluginFault } from "./fault.js";
import { die, type Link } from "./link.js";
import { type Method, methodsOf } from "./load.js";

/** Of JSON-RPC: an error of the application, which `data` describes. */
const APPLICATION_ERROR = -32000;
/** Of a frame. A text in JSON has no line end. */
const HEADER_END = "\r\n\r\n";
/** From the end of what the program wrote to the end of this thread, ms. */
const DRAIN_MS = 50;

/** Starts the conversation: the methods that the program has. @throws Error if a required one is missing. */
export async function loadProgram(start: Start, port: MessagePort, link: Link): Promise<Map<string, Method>> {
  const { role, options, dataDir, protocol, host } = start;
  const first: Initialize = { role, options, dataDir, protocol, host };
  const running = new Map<number, Context>();
  const connection = connect(port, link);
  listenTo(connection, link, running);
  connection.listen();
  const answer = await request(connection, "initialize", first);
  const offered: unknown = isObject(answer) ? answer["methods"] : undefined;
  if (!Array.isArray(offered)) throw new Error("its result of `initialize` has no list `methods`");

  let last = 0;
  const call = async (op: string, params: Record<string, unknown>, ctx: Context): Promise<unknown> => {
    const id = ++last;
    running.set(id, ctx);
    try {
      const context: CallContext = { call: id, limitMs: Math.max(0, Math.round(ctx.deadline - Date.now())) };
      return await request(connection, op, { ...params, context }, ctx.signal);
    } finally {
      running.delete(id);
    }
  };
  return methodsOf(role, "its result of `initialize`", (op, names) =>
    offered.includes(op)
      ? (...args) => call(op, Object.fromEntries(names.map((name, at) => [name, args[at]])), args.at(-1) as Context)
      : undefined,
  );
}

/** A program may write what it likes, as much as it likes. What is not a message of a limited length ends the worker. */
function connect(port: MessagePort, link: Link): MessageConnection {
  const input = new PassThrough();
  const output = new Writable({
    write(chunk: Buffer, _, done) {
      port.postMessage(chunk);
      done();
    },
  });
  const isForeign = (what: string): void =>
    die(link, `it wrote to its stdout what is not JSON-RPC: ${what.slice(0, 200)}`);
  const reader = new LimitedReader(input, (reason) => die(link, reason));
  // All that the library reports as an error is a message that it does not understand.
  const logger = { error: isForeign, warn() {}, info() {}, log() {} };
  const connection = createMessageConnection(reader, new StreamMessageWriter(output), logger);
  connection.onError(([error]) => isForeign(error.message));
  port.on("message", (chunk: Uint8Array | null) => {
    // What was read before is passed on by then. The host knows how the program ended.
    if (chunk === null) setTimeout(() => process.exit(0), DRAIN_MS);
    else if (reader.mayTake(chunk)) input.write(chunk);
  });
  return connection;
}

class LimitedReader extends StreamMessageReader {
  readonly #onBroken: (reason: string) => void;
  readonly #rate = new Rate();
  /** Bytes since the last message. */
  #unread = 0;

  constructor(input: NodeJS.ReadableStream, onBroken: (reason: string) => void) {
    super(input);
    this.#onBroken = onBroken;
  }

  /** Before the bytes are cut into messages, of which the library may keep as many as come. */
  mayTake(bytes: Uint8Array): boolean {
    this.#unread += bytes.length;
    // A character of JavaScript has at most three bytes.
    const broken = this.#unread > 3 * MESSAGE_LIMIT ? tooLong : this.#isFlood(bytes) ? tooMany : null;
    if (broken !== null) this.#onBroken(broken.reason);
    return broken === null;
  }

  #isFlood(bytes: Uint8Array): boolean {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let end = text.indexOf(HEADER_END); end !== -1; end = text.indexOf(HEADER_END, end + 1))
      if (this.#rate.isFlood(0)) return true;
    return false;
  }

  override listen(callback: DataCallback): Disposable {
    return super.listen((message: Message) => {
      this.#unread = 0;
      // What follows goes through it by recursion.
      if (isDeeper(message, 10 * DEPTH_LIMIT)) this.#onBroken(unknown.reason);
      else callback(message);
    });
  }
}

/** What the program asks of its host, and reports to it. */
function listenTo(connection: MessageConnection, link: Link, running: ReadonlyMap<number, Context>): void {
  const { log, progress } = reportsTo(link);
  connection.onNotification("log", (params: unknown) => {
    const { level, message, fields } = asObject(params);
    const known = logLevels.find((one): one is LogLevel => one === level) ?? "info";
    log[known](message as string, isObject(fields) ? fields : undefined);
  });
  connection.onNotification("progress", (params: unknown) => {
    const { message, done, total } = asObject(params);
    progress(message as string, done as number, total as number);
  });
  connection.onRequest("exec", async (params: unknown): Promise<ExecResult | ResponseError<unknown>> => {
    const { call, command, args = [], options = {} } = asObject(params);
    const ctx = running.get(call as number);
    if (ctx === undefined) return invalid("`call` is not the number of a call that is under way");
    if (typeof command !== "string") return invalid("`command` is not a text");
    if (!isTexts(args)) return invalid("`args` is not a list of texts");
    if (!isObject(options)) return invalid("`options` is not an object");
    return ctx.exec(command, args, options as ExecOptions).catch((error: unknown) => {
      const { message, code, hint } = toPluginFault(error);
      const data: ErrorData = { ...(code !== undefined && { code }), ...(hint !== undefined && { hint }) };
      return new ResponseError(APPLICATION_ERROR, message, data);
    });
  });
}

/** @throws Error with the code, hint, and stack that the program returned. */
async function request(
  connection: MessageConnection,
  method: string,
  params: object,
  signal?: AbortSignal,
): Promise<unknown> {
  const cancel = new CancellationTokenSource();
  const onAbort = (): void => cancel.cancel();
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    return await connection.sendRequest(method, params, cancel.token);
  } catch (error) {
    if (!(error instanceof ResponseError)) throw error;
    const { code, hint, stack } = asObject(error.data);
    throw Object.assign(new Error(error.message), { code, hint, stack });
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}

const invalid = (what: string): ResponseError<unknown> => new ResponseError(ErrorCodes.InvalidParams, what);
const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === "string");
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const asObject = (value: unknown): Record<string, unknown> => (isObject(value) ? value : {});
