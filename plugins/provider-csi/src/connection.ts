import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, credentials, Metadata, type MethodDefinition, type ServiceError, status } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import type { Context } from "holdstill/plugin";
import { codeOf } from "#kit/plugin-error.js";
import { type Failure, failureOf } from "./failure.js";
import type { Calls, Method } from "./messages.js";
import type { Options } from "./options.js";

/** Read when the plugin is loaded, so that a commit reads no file. */
const methods = readMethods(path.join(import.meta.dirname, "../csi.proto"));

/** How long before the call's own deadline an RPC is given up, so that the error names the RPC, ms; of a short call, a quarter. */
const MARGIN_MS = 500;
/** Between two tries of what the driver has under way already, ms; the first and the longest. */
const REST_MS = { first: 50, most: 2000 };

/**
 * The driver, for one call of the host. Each RPC ends with that call: by its deadline, or when its signal fires. The methods of its
 * node service go to its own socket.
 */
export class Connection implements Disposable {
  readonly #ctx: Context<Options>;
  readonly #clients = new Map<string, Client>();
  /** ms since the epoch. */
  readonly deadline: number;

  constructor(ctx: Context<Options>) {
    this.#ctx = ctx;
    const left = ctx.deadline - Date.now();
    this.deadline = ctx.deadline - Math.min(MARGIN_MS, left / 4);
  }

  get secrets(): Record<string, string> {
    return Object.fromEntries(this.#ctx.options.secrets.map(({ name, value }) => [name, value]));
  }

  /**
   * Makes an RPC. If the driver has an operation on the same object under way (ABORTED), it is asked again until the deadline, as the
   * specification requires.
   *
   * @throws PluginError
   */
  async call<M extends Method>(method: M, request: Calls[M][0]): Promise<Calls[M][1]> {
    for (let rest = REST_MS.first; ; rest = Math.min(rest * 2, REST_MS.most)) {
      try {
        return await this.#callOnce(method, request);
      } catch (error) {
        const isPending = codeOf(error) === "PENDING";
        if (!isPending || !(await this.#rest(rest))) throw error;
      }
    }
  }

  /** The same, for a call that undoes something: what does not exist is undone already. */
  async undo<M extends Method>(method: M, request: Calls[M][0]): Promise<void> {
    await this.call(method, request).catch((error: unknown) => {
      if (!(codeOf(error) === "NOT_FOUND")) throw error;
    });
  }

  /**
   * Asks until there is an answer other than null. Each rest is longer than the one before.
   *
   * @returns null if there was none before the deadline.
   */
  async poll<T>(look: () => Promise<T | null>): Promise<T | null> {
    for (let rest = REST_MS.first; ; rest = Math.min(rest * 2, REST_MS.most)) {
      const found = await look().catch((error: unknown) => {
        if (codeOf(error) === "TIMED_OUT") return null;
        throw error;
      });
      if (found !== null || !(await this.#rest(rest))) return found;
    }
  }

  [Symbol.dispose](): void {
    for (const client of this.#clients.values()) client.close();
  }

  /** @returns Whether there was time for it. */
  async #rest(ms: number): Promise<boolean> {
    if (Date.now() + ms >= this.deadline) return false;
    await sleep(ms, undefined, { signal: this.#ctx.signal });
    return true;
  }

  #callOnce<M extends Method>(method: M, request: Calls[M][0]): Promise<Calls[M][1]> {
    const { signal, options } = this.#ctx;
    const definition = methods.get(method);
    if (definition === undefined) throw new RangeError(`csi.proto does not have ${method}`);
    const socket = definition.path.startsWith("/csi.v1.Node/")
      ? (options.nodeSocket ?? options.socket)
      : options.socket;
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const call = this.#clientAt(socket).makeUnaryRequest(
        definition.path,
        definition.requestSerialize,
        definition.responseDeserialize,
        request,
        new Metadata(),
        { deadline: this.deadline },
        (error, answer) => {
          signal.removeEventListener("abort", cancel);
          if (error !== null) reject(failureOf(method, lossOf(error, signal), socket));
          else resolve(answer as Calls[M][1]);
        },
      );
      const cancel = (): void => call.cancel();
      signal.addEventListener("abort", cancel);
    });
  }

  #clientAt(socket: string): Client {
    const known = this.#clients.get(socket);
    if (known !== undefined) return known;
    const client = new Client(`unix:${socket}`, credentials.createInsecure(), {
      // A path is not a host name, and some servers refuse it as one.
      "grpc.default_authority": "localhost",
      // A connection that failed is not kept for the next call, with its waiting time.
      "grpc.use_local_subchannel_pool": 1,
      "grpc.enable_retries": 0,
    });
    this.#clients.set(socket, client);
    return client;
  }
}

/** A call that is cancelled, but not from here, was cut off by the driver's end of the connection. */
function lossOf({ code, details }: ServiceError, signal: AbortSignal): Failure {
  return { code: code === status.CANCELLED && !signal.aborted ? status.UNAVAILABLE : code, details };
}

/** By their names, which are unique in the specification. */
function readMethods(file: string): ReadonlyMap<string, MethodDefinition<object, object>> {
  const definition = loadSync(file, { longs: Number, enums: String, defaults: true, oneofs: true });
  const services = Object.values(definition).filter((one) => !("format" in one));
  return new Map(services.flatMap((service) => Object.entries(service)));
}
