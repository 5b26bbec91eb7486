import { request, type IncomingMessage } from "node:http";
import { once } from "node:events";
import { HoldstillError } from "../../base/errors/error.js";
import type { Fault } from "../../base/schema/types.js";
import { validateOpenly, type SchemaName, type Shape } from "../../base/schema/validate.js";
import { knownError } from "../http/problem.js";

/** Calls a service. An error of the service is thrown as the same error. */
export class ServiceConnection {
  readonly socket: string;

  constructor(socket: string) {
    this.socket = socket;
  }

  /** @throws HoldstillError E_SERVICE_LOST, or the error that the service returned. */
  async call<N extends SchemaName>(
    method: string,
    path: string,
    schema: N,
    body?: unknown,
    signal?: AbortSignal,
  ): Promise<Shape<N>> {
    const incoming = await this.#send(method, path, body, signal);
    const checked = validateOpenly(schema, await this.#document(incoming), `${method} ${path}`);
    if (checked.ok) return checked.value;
    throw this.#lost(`its response to ${method} ${path} is ${checked.findings[0]?.seen ?? "nothing"}`);
  }

  /** The data of server-sent events, as they arrive. */
  async *events(path: string): AsyncGenerator {
    const incoming = await this.#send("GET", path);
    if (incoming.statusCode !== 200) await this.#document(incoming);
    let text = "";
    for await (const chunk of this.#chunks(incoming)) {
      const parts = (text + chunk).split("\n\n");
      text = parts.pop() ?? "";
      for (const part of parts) {
        const data = /^data: (.*)$/m.exec(part)?.[1];
        if (data !== undefined) yield JSON.parse(data);
      }
    }
  }

  /** A broken connection is an error of the service, not a bug. */
  async *#chunks(incoming: IncomingMessage): AsyncGenerator<string> {
    try {
      for await (const chunk of incoming.setEncoding("utf8")) yield chunk as string;
    } catch (error) {
      throw this.#lost(error instanceof Error ? error.message : String(error));
    }
  }

  async #send(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<IncomingMessage> {
    const sent = body === undefined ? undefined : JSON.stringify(body);
    const headers = sent === undefined ? {} : { "content-type": "application/json" };
    const outgoing = request({
      socketPath: this.socket,
      method,
      path,
      headers,
      ...(signal === undefined ? {} : { signal }),
    });
    outgoing.end(sent);
    try {
      const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
      return incoming;
    } catch (error) {
      signal?.throwIfAborted();
      throw this.#lost(error instanceof Error ? error.message : String(error));
    }
  }

  async #document(incoming: IncomingMessage): Promise<unknown> {
    let text = "";
    for await (const chunk of this.#chunks(incoming)) text += chunk;
    if ((incoming.statusCode ?? 0) >= 400) throw this.#refusal(parsed(text));
    return parsed(text);
  }

  #refusal(document: unknown): HoldstillError {
    const checked = validateOpenly("service#/$defs/problem", document, this.socket);
    if (!checked.ok) return this.#lost("it returned an error that is not one of holdstill");
    const { title: message, ...fault } = checked.value;
    return this.errorOf({ ...fault, message });
  }

  /** A newer service may have errors that this command line does not. */
  errorOf(fault: Pick<Fault, "code" | "message" | "details"> | undefined): HoldstillError {
    const reason = fault?.message ?? "the service gave no reason";
    return (fault === undefined ? null : knownError(fault)) ?? this.#lost(reason);
  }

  #lost(reason: string): HoldstillError {
    return new HoldstillError("E_SERVICE_LOST", { socket: this.socket, reason });
  }
}

/** undefined: not JSON, which no schema accepts. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
