/** HTTP over a given socket. The only importer of fastify. */
import { createServer, type Server } from "node:http";
import type { Socket } from "node:net";
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { asHoldstillError, HoldstillError, isHoldstillError } from "../../base/errors/error.js";
import type { CoreLog } from "../../base/log/log.js";
import { validate } from "../../base/schema/validate.js";
import { OpenCalls } from "./open-calls.js";
import { streamEvents } from "../operations/event-stream.js";
import { ConnectionLimiter } from "./connection-limiter.js";
import { openApi } from "./openapi.js";
import type { Peer } from "./peer.js";
import { problemOf, requestFault } from "./problem.js";
import type { Rights } from "./rights.js";
import { oneAtATime, UserTurns } from "./turns.js";
import type { RouteCall, RouteContext, Parameter, Route } from "./route.js";

/** What one client may use, in bytes and ms. */
const limits = { body: 256 * 1024, headers: 16 * 1024, headersWithin: 10_000, requestWithin: 30_000, idle: 30_000 };

export interface HttpServer {
  server: Server;
  connections: ConnectionLimiter;
  calls: OpenCalls;
}

/** The server, which does not listen yet. */
export async function startHttpServer(
  routes: readonly Route[],
  context: RouteContext,
  rights: Rights,
  log: CoreLog | null,
): Promise<HttpServer> {
  const connections = new ConnectionLimiter();
  const calls = new OpenCalls();
  let server: Server | undefined;
  const app = fastify({
    serverFactory: (handler) => {
      server = createServer(
        {
          maxHeaderSize: limits.headers,
          headersTimeout: limits.headersWithin,
          requestTimeout: limits.requestWithin,
          keepAliveTimeout: limits.idle,
          connectionsCheckingInterval: 1000,
        },
        oneAtATime(handler),
      );
      return server;
    },
    bodyLimit: limits.body,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 1024 },
    frameworkErrors: (error, _, reply) => void refuse(error, reply),
    clientErrorHandler: hangUp,
  });
  app.removeContentTypeParser("text/plain");
  app.setErrorHandler((error, _, reply) => refuse(error, reply));
  app.setNotFoundHandler(({ method, url }, reply) =>
    refuse(requestFault(404, `Unknown call: ${method} ${url.slice(0, 200)}.`), reply),
  );
  app.addHook("onRequest", (request, _, done) => done(connections.refusalOf(request.raw.socket) ?? undefined));
  app.addHook("onResponse", ({ method, url, raw }, { statusCode, elapsedTime }, done) => {
    const peer = connections.peerOf(raw.socket)?.mark;
    const fields = { method, url, status: statusCode, ms: Math.round(elapsedTime), ...peer };
    if (statusCode >= 400) log?.warn("request refused", fields);
    else if (method === "GET") log?.debug("request", fields);
    else log?.info("request", fields);
    done();
  });
  const turns = new UserTurns();
  for (const one of routes) add(app, one, { context, rights, connections, calls, turns });
  const description = openApi(routes);
  app.get("/v1/openapi.json", (_, reply) => reply.send(description));
  await app.ready();
  if (server === undefined) throw new Error("fastify made no server");
  connections.watch(server);
  return { server, connections, calls };
}

interface ServerParts {
  context: RouteContext;
  rights: Rights;
  connections: ConnectionLimiter;
  calls: OpenCalls;
  turns: UserTurns;
}

function add(app: FastifyInstance, one: Route, { context, rights, connections, calls, turns }: ServerParts): void {
  app.route({
    method: one.method,
    url: one.path.replace(/\{\w+\}/, ":key"),
    // Before the body is read.
    onRequest(request, _, done) {
      if (one.right !== null) rights.demand(peerIn(connections, request), one.right, `${one.method} ${one.path}`);
      done();
    },
    async handler(request, reply) {
      const peer = peerIn(connections, request);
      const call = callOf(one, request, reply, peer, context);
      if (one.waits !== true) await turns.take(peer.mark.uid, reply.raw);
      if (one.right !== null) await context.engine.writable();
      const { status, body, headers = {}, events } = await calls.run(() => one.handle(call, context));
      if (events === undefined) return reply.code(status).headers(headers).send(body);
      reply.hijack();
      streamEvents(events.record, events.from, reply.raw);
      return reply;
    },
  });
}

function peerIn(connections: ConnectionLimiter, { raw }: FastifyRequest): Peer {
  const peer = connections.peerOf(raw.socket);
  if (peer === null)
    throw new HoldstillError("E_FORBIDDEN", { uid: -1, what: "call the service without an identity", right: "read" });
  return peer;
}

function callOf(
  { query = {}, headers = {}, body: schema }: Route,
  { query: given, headers: sent, params, body, raw }: FastifyRequest,
  { raw: response }: FastifyReply,
  peer: Peer,
  context: RouteContext,
): RouteCall<Route["body"]> {
  const gone = new AbortController();
  response.once("close", () =>
    gone.abort(new HoldstillError("E_INTERRUPTED", { signal: "the client, which closed the connection" })),
  );
  for (const [name, value] of Object.entries(given as Record<string, unknown>)) demand(query[name], name, value);
  for (const [name, parameter] of Object.entries(headers))
    if (sent[name] !== undefined) demand(parameter, name, sent[name]);
  return {
    peer,
    engine: context.engine.onBehalfOf(peer.mark),
    key: (params as { key?: string }).key ?? "",
    query: given as Record<string, string>,
    body: schema === null ? null : checked(schema, body),
    header: (name) => {
      const value = raw.headers[name];
      return typeof value === "string" ? value : null;
    },
    gone: gone.signal,
  };
}

function checked(schema: NonNullable<Route["body"]>, body: unknown): RouteCall<NonNullable<Route["body"]>>["body"] {
  const result = validate(schema, body, "the request");
  if (result.ok) return result.value;
  const { findings } = result;
  const [first] = findings;
  const at = first?.pointer === "" ? "" : ` at ${first?.pointer}`;
  const problem = `The body${at} is ${first?.seen}, expected ${first?.expected}.`;
  const hint = "GET /v1/openapi.json describes it. `findings` lists every error.";
  throw new HoldstillError("E_REQUEST", { status: 400, problem, hint, findings });
}

function demand(parameter: Parameter | undefined, name: string, value: unknown): void {
  if (parameter === undefined) throw requestFault(400, `Unknown parameter \`${name.slice(0, 60)}\`.`);
  if (typeof value === "string" && new RegExp(parameter.pattern).test(value)) return;
  throw requestFault(400, `\`${name}\` does not match ${parameter.pattern}.`);
}

async function refuse(thrown: unknown, reply: FastifyReply): Promise<void> {
  const { statusCode: status = 500, message } = thrown as { statusCode?: number; message?: string };
  const isRequestFault = !isHoldstillError(thrown) && status >= 400 && status < 500;
  const problem = problemOf(isRequestFault ? requestFault(status, `${message}.`) : asHoldstillError(thrown));
  if (problem.status === 503) reply.header("retry-after", "1").header("connection", "close");
  await reply
    .code(problem.status)
    .type("application/problem+json")
    .send(Buffer.from(JSON.stringify(problem)));
}

/** For input that is not HTTP, is over a size limit, or is slow. */
function hangUp({ code }: Error & { code?: string }, socket: Socket): void {
  if (code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, reason, problem] =
    code === "HPE_HEADER_OVERFLOW"
      ? ([431, "Request Header Fields Too Large", `The headers are larger than ${limits.headers} bytes.`] as const)
      : code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? ([408, "Request Timeout", "The request was not complete in time."] as const)
        : ([400, "Bad Request", "This is not HTTP."] as const);
  const body = JSON.stringify(problemOf(requestFault(status, problem)));
  const head = `HTTP/1.1 ${status} ${reason}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}`;
  socket.end(`${head}\r\nconnection: close\r\n\r\n${body}`);
  socket.destroySoon();
}
