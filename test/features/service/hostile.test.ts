/** Clients that mean harm, or know no better: coded refusals, and the service goes on. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import path from "node:path";
import test from "node:test";
import * as fc from "fast-check";
import type { Health, Problem } from "#core/base/schema/types.js";
import { onEnd } from "../../support/process/on-end.js";
import { holdstill } from "../../support/process/command-line.js";
import { Service } from "../../support/process/service.js";
import { Scene } from "../../support/fixture/scene.js";

/** What comes back for bytes that are sent as they are. */
async function exchange(service: Service, bytes: string | Buffer, limitMs = 20_000): Promise<string> {
  const socket = connect(service.socket);
  const timer = setTimeout(() => socket.destroy(), limitMs);
  let text = "";
  socket.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  socket.on("error", () => undefined);
  socket.write(bytes);
  await new Promise((resolve) => socket.once("close", resolve));
  clearTimeout(timer);
  return text;
}

const healthy = async (service: Service): Promise<void> =>
  assert.equal((await service.ask("GET", "/v1/health")).json<Health>().operations.open, 0);

test("no body, whatever it is, does more than be refused with a code", async (t) => {
  const stage = new Scene(t);
  const service = await Service.start(t, stage);
  const urls = ["/v1/sets", "/v1/plans"];
  const noSpans = [0, -1, 1.5, 1e9, null, true, [], {}, "", "soon", "5 s", "1e3s", "-1s"];
  const json = fc.oneof(
    fc.jsonValue({ maxDepth: 5 }),
    // No chance may make a request that is good.
    fc.record({ targets: fc.jsonValue(), name: fc.constant("") }),
    fc.record({ targets: fc.constant(["writer:app"]), lease: fc.constantFrom(...noSpans) }),
    fc.record({ targets: fc.constant(["writer:app"]), tags: fc.array(fc.string()) }),
    fc.record({ targets: fc.constant(["/x"]), __proto__: fc.constant({ a: 1 }), nonsense: fc.jsonValue() }),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...urls), json, async (url, body) => {
      const reply = await service.ask("POST", url, { raw: JSON.stringify(body) });
      assert.equal(reply.status, 400, `${url} ${JSON.stringify(body)}: ${reply.text}`);
      assert.equal(reply.json<Problem>().code, "E_REQUEST");
    }),
    { numRuns: 150 },
  );
  const raws: [string | Buffer, number][] = [
    ["{", 400],
    ["", 400],
    ['{"__proto__":{"targets":["writer:app"]}}', 400],
    ['{"targets":["writer:app"],"constructor":{"prototype":{}}}', 400],
    [`${"[".repeat(100_000)}${"]".repeat(100_000)}`, 400],
    [`{"targets":${"[".repeat(50_000)}${"]".repeat(50_000)}}`, 400],
    [Buffer.from([0xff, 0xfe, 0x00, 0x7b]), 400],
  ];
  for (const [raw, status] of raws) {
    const reply = await service.ask("POST", "/v1/sets", { raw });
    assert.deepEqual([reply.status, reply.json<Problem>().code], [status, "E_REQUEST"], reply.text.slice(0, 300));
  }
  const head = "POST /v1/sets HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
  assert.match(await exchange(service, `${head}content-length: 9999999\r\n\r\n`), /^HTTP\/1\.1 413 .*E_REQUEST/s);
  const text = await service.ask("POST", "/v1/sets", { raw: "targets=/", headers: { "content-type": "text/plain" } });
  assert.equal(text.status, 415);
  assert.ok(!stage.calls("store").includes("prepare"));
  assert.deepEqual(readdirSync(path.join(stage.dir, "state/operations")), []);
  await healthy(service);
});

test("an id that leads elsewhere leads nowhere", async (t) => {
  const stage = new Scene(t);
  const service = await Service.start(t, stage);
  const outside = path.join(stage.dir, "outside");
  writeFileSync(outside, "precious\n");
  writeFileSync(path.join(stage.dir, "state/outside.json"), JSON.stringify({ operation: { id: "outside" } }));
  const ids = [
    "..",
    ".",
    "../outside",
    "../../outside",
    "../outside.json",
    "%00",
    "..%2foutside",
    "latest",
    "/etc/passwd",
  ];
  for (const id of [...ids, "x".repeat(900), "\u202e", "__proto__", "constructor"]) {
    for (const key of [encodeURIComponent(id), id.replaceAll("\u202e", "%E2%80%AE").replaceAll("x", "x")]) {
      for (const [method, url] of [
        ["GET", `/v1/sets/${key}`],
        ["DELETE", `/v1/sets/${key}`],
        ["POST", `/v1/sets/${key}/expose`],
        ["POST", `/v1/sets/${key}/lease`],
        ["GET", `/v1/operations/${key}`],
        ["GET", `/v1/operations/${key}/events`],
        ["DELETE", `/v1/operations/${key}`],
      ] as const) {
        const { status, text } = await service.ask(method, url);
        const isKnown = id === "." || id === ".." || id.includes("/") || id === "%00";
        assert.ok(status === 404 || (isKnown && status >= 200 && status < 500), `${method} ${url}: ${status} ${text}`);
        assert.doesNotMatch(text, /precious|root:x/);
      }
    }
  }
  assert.equal(readFileSync(outside, "utf8"), "precious\n");
  await healthy(service);
});

test("what is no HTTP, or too much of it, is answered as such and hung up on", async (t) => {
  const stage = new Scene(t);
  const service = await Service.start(t, stage);
  const huge = `GET /v1/health HTTP/1.1\r\nhost: x\r\nx: ${"y".repeat(64 * 1024)}\r\n\r\n`;
  assert.match(await exchange(service, huge), /^HTTP\/1\.1 431 .*"code":"E_REQUEST"/s);
  const many = `GET /v1/health HTTP/1.1\r\nhost: x\r\n${"a: b\r\n".repeat(20_000)}\r\n`;
  assert.match(await exchange(service, many), /^HTTP\/1\.1 431 /);
  assert.match(await exchange(service, "\u0016\u0003\u0001 this is TLS\r\n\r\n"), /^HTTP\/1\.1 400 .*E_REQUEST/s);
  const smuggled =
    "POST /v1/sets HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
  assert.match(await exchange(service, smuggled), /^HTTP\/1\.1 400 /);
  await healthy(service);
});

test("who sends a request drop by drop is hung up on, and whoever reads no events keeps nobody waiting", async (t) => {
  const stage = new Scene(t);
  const service = await Service.start(t, stage);
  const slow = connect(service.socket);
  onEnd(t, () => slow.destroy());
  slow.on("error", () => undefined);
  let answered = "";
  slow.setEncoding("utf8").on("data", (chunk: string) => (answered += chunk));
  const hungUp = new Promise((resolve) => slow.once("close", resolve));
  slow.write("POST /v1/sets HTTP/1.1\r\nhost: x\r\n");
  const drip = setInterval(() => slow.write("x: y\r\n"), 500);
  onEnd(t, () => clearInterval(drip));

  const { id } = await service.create({ targets: ["writer:app"] });
  const deaf: Socket[] = [];
  for (let count = 0; count < 20; count += 1) {
    const socket = connect(service.socket);
    onEnd(t, () => socket.destroy());
    socket.pause();
    socket.write(`GET /v1/operations/${id}/events HTTP/1.1\r\nhost: x\r\n\r\n`);
    deaf.push(socket);
  }
  assert.equal((await service.ended(id)).state.result.outcome, "created");
  await hungUp;
  assert.match(answered, /^HTTP\/1\.1 408 .*E_REQUEST/s);
  await healthy(service);
});

test("thousands of connections are too many for one service: it says so, and serves again when they are gone", async (t) => {
  const stage = new Scene(t);
  const service = await Service.start(t, stage);
  const flood: Socket[] = [];
  for (let count = 0; count < 2000; count += 1) {
    const socket = connect(service.socket);
    socket.on("error", () => undefined);
    flood.push(socket);
    if (count % 100 === 99) await new Promise((resolve) => setTimeout(resolve, 10));
  }
  onEnd(t, () => flood.forEach((socket) => socket.destroy()));
  const refusal = await exchange(service, "GET /v1/health HTTP/1.1\r\nhost: x\r\n\r\n", 2000);
  assert.ok(refusal === "" || refusal.includes("E_UNAVAILABLE"), refusal);
  for (const socket of flood) socket.destroy();
  for (;;) {
    const answer = await exchange(service, "GET /v1/health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", 2000);
    if (answer.startsWith("HTTP/1.1 200")) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await healthy(service);
});

test("one connection that asks for everything at once is served in turn, and does not deafen the service", async (t) => {
  const stage = new Scene(t);
  const service = await Service.start(t, stage);
  const { id } = await service.create({ targets: ["writer:app"] });
  await service.ended(id);
  const history = path.join(stage.dir, "state/history.jsonl");
  const line = readFileSync(history, "utf8");
  writeFileSync(history, line.repeat(Math.ceil(3_000_000 / line.length)));
  const before = memoryOf(service);
  const socket = connect(service.socket);
  onEnd(t, () => socket.destroy());
  socket.on("error", () => undefined).pause();
  const closed = once(socket, "close");
  socket.write("GET /v1/history HTTP/1.1\r\nhost: x\r\n\r\n".repeat(150));
  await healthy(service);
  assert.ok(memoryOf(service) - before < 500_000, `${before} kB and ${memoryOf(service)} kB`);
  socket.resume();
  await closed;
  const some = await exchange(
    service,
    `${"GET /v1/health HTTP/1.1\r\nhost: x\r\n\r\n".repeat(9)}GET /v1/health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`,
  );
  assert.equal(some.split("HTTP/1.1 200").length, 11, "a few pipelined requests are answered in order");
});

test("a restore, or a state directory, below /proc is refused, and nothing hangs", async (t) => {
  const stage = new Scene(t);
  const service = await Service.start(t, stage);
  const { id } = await service.create({ targets: ["writer:app"] });
  await service.ended(id);
  for (const to of ["/proc/1", "/proc/1/x/y", "/proc/self/fd/0/x", "/sys/kernel/x"]) {
    const reply = await service.ask("POST", `/v1/sets/${id}/restore`, { body: { to } });
    assert.ok(reply.status >= 400 && reply.status < 500, `${to}: ${reply.text}`);
    assert.notEqual(reply.json<Problem>().code, "E_BUG", reply.text);
    await healthy(service);
  }
  const { service: _, ...settings } = JSON.parse(readFileSync(service.config, "utf8")) as Record<string, unknown>;
  const config = path.join(stage.dir, "elsewhere.json");
  for (const stateDir of ["/proc/1/x/y", "/proc/x", "/sys/x/y"]) {
    writeFileSync(config, JSON.stringify({ ...settings, stateDir }));
    const run = await holdstill(["create", "writer:app", "--json", "--config", config]);
    assert.match(run.stdout, /"E_STATE_DIR"/, stateDir);
  }
});

/** Resident memory of the service, kB. */
function memoryOf({ child }: Service): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]);
}
