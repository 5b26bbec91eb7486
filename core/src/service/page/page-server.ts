import { readFileSync } from "node:fs";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { lastTimes } from "../../store/history.js";
import type { CoreLog } from "../../base/log/log.js";
import type { Engine } from "../../engine/engine.js";
import { installation, ownVersion } from "../../installation.js";
import type { Operations } from "../operations/operations.js";
import { PageLogin } from "./page-login.js";
import { streamOperations } from "./page-stream.js";
import { problemOf } from "../http/problem.js";

/** What one browser needs, and somewhat more. */
const most = { connections: 32, headers: 8 * 1024, past: 200 };

/** The page's own path below its address: as its modules lie, so that they find what they import. */
const home = "service/page/browser/";

/** All that the page is made of: its source, and the modules that it shares with the command line. By the path in the address. */
const sources: ReadonlyMap<string, { type: string; from: string }> = new Map([
  [home, { type: "text/html", from: path.join(installation.page, "page.html") }],
  [`${home}page.css`, { type: "text/css", from: path.join(installation.page, "page.css") }],
  ...["main", "element", "live", "bars", "sets", "history", "writers"].map((name) => scriptOf(`${home}${name}.js`)),
  ...["spans", "units", "visible"].map((name) => scriptOf(`base/display/${name}.js`)),
  scriptOf("transaction/phases.js"),
]);

function scriptOf(name: string): [string, { type: string; from: string }] {
  return [name, { type: "text/javascript", from: path.join(installation.modules, name) }];
}

/** Only what we serve is run or asked; and no text can become markup, whatever a plugin calls itself. */
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
  /** An address with a token: whoever opens it first sees the page. One that was not opened yet works no more. */
  invite(): string;
  /** Who looks at it. */
  readonly viewers: number;
  close(): void;
}

/** A page to watch the service by, for browsers of this machine that were given an address. Nothing can be changed by it. */
export async function servePage(
  { requester, operations }: { requester: Engine; operations: Operations },
  log: CoreLog | null,
): Promise<PageServer> {
  const door = new PageLogin();
  const files = new Map([...sources].map(([name, { type, from }]) => [name, { type, text: textOf(from) }]));
  const documents = documentsOf(requester);
  let viewers = 0;

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    const refusal = door.refuse(request);
    if (refusal !== null) {
      end(response, refusal.status, refusal.reason);
      return;
    }
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
    const token = pathname === "/" ? searchParams.get("token") : null;
    const entry = token === null ? null : door.enter(token);
    if (entry !== null) {
      log?.info("the page was opened");
      response.writeHead(303, { location: `${entry.path}${home}`, "set-cookie": entry.cookie }).end();
      return;
    }
    const name = door.within(request, pathname);
    if (name === null) {
      end(response, 403, "The address of this page works once. `POST /v1/page` of the service gives another.");
      return;
    }
    const file = files.get(name);
    const document = documents.get(name);
    if (file !== undefined) end(response, 200, file.text, file.type);
    else if (name === "events") {
      viewers += 1;
      response.once("close", () => void (viewers -= 1));
      response.writeHead(200, { "content-type": "text/event-stream" });
      streamOperations(operations, response);
    } else if (document !== undefined) {
      await requester.writable();
      end(response, 200, JSON.stringify(await document()), "application/json");
    } else end(response, 404, "There is nothing here.");
  };

  const server = createServer(
    { maxHeaderSize: most.headers, headersTimeout: 10_000, requestTimeout: 10_000 },
    (request, response) => {
      answer(request, response).catch((error: unknown) => {
        const problem = problemOf(error);
        if (!response.headersSent) end(response, problem.status, JSON.stringify(problem), "application/problem+json");
      });
    },
  );
  server.maxConnections = most.connections;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    invite: () => `http://127.0.0.1:${port}/?token=${door.issue()}`,
    get viewers() {
      return viewers;
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** What the page asks for beside the stream. Asking the writers takes workers: whoever asks meanwhile gets the same answer. */
function documentsOf(requester: Engine): ReadonlyMap<string, () => Promise<unknown>> {
  let asking: Promise<unknown> | null = null;
  return new Map<string, () => Promise<unknown>>([
    ["about", async () => ({ version: ownVersion(), stateDir: requester.settings.stateDir, pid: process.pid })],
    ["sets", async () => requester.list()],
    [
      "history",
      async () => {
        const past = await requester.history();
        return { transactions: past.slice(-most.past), last: Object.fromEntries(lastTimes(past)) };
      },
    ],
    [
      "writers",
      () =>
        (asking ??= requester
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
