import { readFileSync } from "node:fs";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import path from "node:path";
import { lastTimes } from "../../store/history.js";
import type { CoreLog } from "../../base/log/log.js";
import type { Engine } from "../../engine/engine.js";
import { installation, ownVersion } from "../../installation.js";
import type { Operations } from "../operations/operations.js";
import { PageLogin } from "./page-login.js";
import { pageScripts } from "./page-scripts.js";
import { streamOperations } from "./page-stream.js";
import { problemOf } from "../http/problem.js";

/** More than one browser needs. */
const most = { connections: 32, headers: 8 * 1024, past: 200 };

/** The path of the page below its address: that of its modules, so that their imports resolve. */
const home = "service/page/browser/";

/** The files of the page: its source, and the modules that it shares with the command line. By the path in the address. */
const sources: ReadonlyMap<string, { type: string; from: string }> = new Map([
  [home, { type: "text/html", from: path.join(installation.page, "page.html") }],
  [`${home}page.css`, { type: "text/css", from: path.join(installation.page, "page.css") }],
  ...pageScripts.map(scriptOf),
]);

function scriptOf(name: string): [string, { type: string; from: string }] {
  return [name, { type: "text/javascript", from: path.join(installation.modules, name) }];
}

/** Only our own files are loaded and run, and no text becomes markup, whatever a plugin names itself. */
const headers = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "cache-control": "no-store",
};

export interface PageServer {
  /** A new address, which admits the first browser that opens it. The address before is no longer valid. */
  newAddress(): string;
  /** Number of open pages. */
  readonly viewers: number;
  close(): void;
}

/** Serves the page, which shows what the service does, to browsers of this machine that have an address. The page changes nothing. */
export async function servePage(
  { engine, operations }: { engine: Engine; operations: Operations },
  log: CoreLog | null,
): Promise<PageServer> {
  const login = new PageLogin();
  const files = new Map([...sources].map(([name, { type, from }]) => [name, { type, text: textOf(from) }]));
  const documents = documentsOf(engine);
  let viewers = 0;

  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    const refusal = login.refuse(request);
    if (refusal !== null) {
      end(response, refusal.status, refusal.reason);
      return;
    }
    // Not a URL: a target such as // is a path here, and not a valid URL.
    const [pathname = "", query = ""] = (request.url ?? "").split("?", 2);
    const token = pathname === "/" ? new URLSearchParams(query).get("token") : null;
    const entry = token === null ? null : login.enter(token);
    if (entry !== null) {
      log?.info("the page was opened");
      response.writeHead(303, { location: `${entry.path}${home}`, "set-cookie": entry.cookie }).end();
      return;
    }
    const name = login.within(request, pathname);
    if (name === null) {
      end(response, 403, "The address of this page works once. `POST /v1/page` of the service returns another.");
      return;
    }
    admitted(request.socket);
    const file = files.get(name);
    const document = documents.get(name);
    if (file !== undefined) end(response, 200, file.text, file.type);
    else if (name === "events") {
      viewers += 1;
      response.once("close", () => void (viewers -= 1));
      streamOperations(operations, response);
    } else if (document !== undefined) {
      await engine.writable();
      end(response, 200, JSON.stringify(await document()), "application/json");
    } else end(response, 404, "Unknown path.");
  };

  const server = createServer(
    { maxHeaderSize: most.headers, headersTimeout: 10_000, requestTimeout: 10_000 },
    (request, response) => {
      respond(request, response).catch((error: unknown) => {
        const problem = problemOf(error);
        if (!response.headersSent) end(response, problem.status, JSON.stringify(problem), "application/problem+json");
      });
    },
  );
  const admitted = keepRoom(server, most.connections);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    newAddress: () => `http://127.0.0.1:${port}/?token=${login.issue()}`,
    get viewers() {
      return viewers;
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/**
 * Any user of the machine may connect: if there are too many connections, the oldest that has not logged in is closed.
 *
 * @returns Notes that a connection has logged in.
 */
function keepRoom(server: Server, count: number): (socket: Socket) => void {
  const open = new Set<Socket>();
  const strangers = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    const [oldest] = open.size < count ? [] : strangers;
    open.add(socket);
    strangers.add(socket);
    socket.once("close", () => {
      open.delete(socket);
      strangers.delete(socket);
    });
    if (open.size > count) (oldest ?? socket).destroy();
  });
  return (socket) => void strangers.delete(socket);
}

/** What the page requests beside the stream. Asking the writers needs workers, so simultaneous requests share one result. */
function documentsOf(engine: Engine): ReadonlyMap<string, () => Promise<unknown>> {
  let asking: Promise<unknown> | null = null;
  return new Map<string, () => Promise<unknown>>([
    ["about", async () => ({ version: ownVersion(), stateDir: engine.settings.stateDir, pid: process.pid })],
    ["sets", async () => engine.list()],
    [
      "history",
      async () => {
        const past = engine.history();
        return { transactions: past.slice(-most.past), last: Object.fromEntries(lastTimes(past)) };
      },
    ],
    [
      "writers",
      () =>
        (asking ??= engine
          .writers()
          .then((writers) => ({ writers }))
          .finally(() => (asking = null))),
    ],
  ]);
}

const textOf = (from: string): string => readFileSync(from, "utf8");

function end(response: ServerResponse, status: number, text: string, type = "text/plain"): void {
  response.writeHead(status, { "content-type": `${type}; charset=utf-8`, "content-length": Buffer.byteLength(text) });
  response.end(text);
}
