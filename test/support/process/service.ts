import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import path from "node:path";
import type { TestContext } from "node:test";
import type { Event, KeptOperation, OperationDocument, Problem, ServiceConfig } from "#core/base/schema/types.js";
import { programFor } from "./command-line.js";
import { onEnd } from "./on-end.js";
import type { Roles, Scene } from "../fixture/scene.js";
import type { User } from "./unprivileged.js";

export interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** The body as JSON, taken for what the test expects. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- what the test expects is its own affair
  json<T>(): T;
}

export interface Asked {
  body?: unknown;
  headers?: Record<string, string>;
  /** Sent as it is, in place of a JSON body. */
  raw?: string | Buffer;
}

interface Start extends Roles {
  args?: readonly string[];
  service?: ServiceConfig;
  /** In place of a config for the stage. */
  config?: string;
  env?: Record<string, string>;
  nodeArgs?: readonly string[];
  /** In place of this repository's. */
  program?: string;
}

/** `holdstill serve` as a process of its own, on a stage. */
export class Service {
  readonly socket: string;
  readonly config: string;
  readonly child: ChildProcess;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 256 });
  stderr = "";

  private constructor(socket: string, config: string, child: ChildProcess) {
    this.socket = socket;
    this.config = config;
    this.child = child;
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
  }

  /** Starts it, and waits until it listens, or has ended. */
  static async start(t: TestContext, stage: Scene, start: Start = {}): Promise<Service> {
    const {
      args = [],
      service = {},
      config: given,
      env = {},
      nodeArgs = [],
      program = programFor(nodeArgs),
      ...roles
    } = start;
    const config = given ?? stage.configFile(roles);
    const settings = JSON.parse(readFileSync(config, "utf8")) as { service: { socket: string } };
    const socket = service.socket ?? settings.service.socket;
    if (given === undefined)
      writeFileSync(config, JSON.stringify({ ...settings, service: { ...settings.service, ...service } }));
    const child = spawn(process.execPath, [...nodeArgs, program, "serve", "--config", config, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", ...env },
    });
    const it = new Service(socket, config, child);
    onEnd(t, () => it.stop());
    const listening = new Promise<void>((resolve) => {
      child.stderr?.on("data", () => {
        if (it.stderr.includes("holdstill: listening at")) resolve();
      });
    });
    await Promise.race([listening, once(child, "close")]);
    return it;
  }

  /** Closes the connections that are kept. */
  disconnect(): void {
    this.#agent.destroy();
  }

  /** Ends it, if it does not have ended. @returns its exit code. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    this.#agent.destroy();
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode;
    const closed = once(this.child, "close");
    this.child.kill(signal);
    await closed;
    return this.child.exitCode;
  }

  async ask(method: string, url: string, { body, headers = {}, raw }: Asked = {}): Promise<Reply> {
    const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const outgoing = request({
      socketPath: this.socket,
      agent: this.#agent,
      method,
      path: url,
      headers: { ...(sent === undefined ? {} : { "content-type": "application/json" }), ...headers },
    });
    outgoing.end(sent);
    const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
    let text = "";
    for await (const chunk of incoming.setEncoding("utf8")) text += chunk as string;
    return {
      status: incoming.statusCode ?? 0,
      headers: incoming.headers,
      text,
      // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- see Reply
      json: <T>() => JSON.parse(text) as T,
    };
  }

  /** Asks for a set. Throws what is answered other than 202. */
  async create(body: object, headers: Record<string, string> = {}): Promise<OperationDocument> {
    const reply = await this.ask("POST", "/v1/sets", { body, headers });
    if (reply.status !== 202) throw new Error(reply.text);
    return reply.json<OperationDocument>();
  }

  /** Waits for the end of an operation. */
  async ended(id: string): Promise<OperationDocument & { state: { type: "ended" } }> {
    for (;;) {
      const reply = await this.ask("GET", `/v1/operations/${id}/await?timeout=10s`);
      const operation = reply.json<OperationDocument>();
      if (operation.state.type === "ended") return { ...operation, state: operation.state };
      if (reply.status !== 202) throw new Error(reply.text);
    }
  }

  /** Its events from that one on, up to the last. */
  async *events(id: string, after = 0): AsyncGenerator<{ number: number; event: Event }> {
    const outgoing = request({
      socketPath: this.socket,
      path: `/v1/operations/${id}/events`,
      headers: after === 0 ? {} : { "last-event-id": String(after) },
    });
    outgoing.end();
    const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
    let text = "";
    for await (const chunk of incoming.setEncoding("utf8")) {
      const parts = (text + (chunk as string)).split("\n\n");
      text = parts.pop() ?? "";
      for (const part of parts) {
        const [, number, data] = /^id: (\d+)\nevent: \S+\ndata: (.*)$/s.exec(part) ?? [];
        if (data !== undefined) yield { number: Number(number), event: JSON.parse(data) as Event };
      }
    }
  }

  async allEvents(id: string, after = 0): Promise<{ number: number; event: Event }[]> {
    const all: { number: number; event: Event }[] = [];
    for await (const one of this.events(id, after)) all.push(one);
    return all;
  }

  /** What is on disk of an operation. */
  kept(stage: Scene, id: string): KeptOperation | null {
    const file = path.join(stage.dir, "state/operations", `${id}.json`);
    return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as KeptOperation) : null;
  }
}

/** Asks as somebody else: who asks is told by the kernel, so it takes a process of his. */
export async function askAs(
  user: User,
  socket: string,
  method: string,
  url: string,
  body?: unknown,
): Promise<Problem & { status: number; body: unknown }> {
  const source = `
    import { request } from "node:http";
    const [socketPath, method, path, body] = process.argv.slice(1);
    const headers = body === "" ? {} : { "content-type": "application/json" };
    const outgoing = request({ socketPath, method, path, headers }, async (incoming) => {
      let text = "";
      for await (const chunk of incoming.setEncoding("utf8")) text += chunk;
      process.stdout.write(JSON.stringify({ status: incoming.statusCode, body: JSON.parse(text) }));
    });
    outgoing.on("error", ({ code }) => process.stdout.write(JSON.stringify({ status: 0, body: { code } })));
    outgoing.end(body);`;
  const args = [
    "--input-type=module",
    "--eval",
    source,
    socket,
    method,
    url,
    body === undefined ? "" : JSON.stringify(body),
  ];
  const child = spawn(process.execPath, args, { ...user, cwd: "/", stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  await once(child, "close");
  const { status, body: answer } = JSON.parse(text) as { status: number; body: Problem };
  return { ...answer, status, body: answer };
}
