/**
 * Random input of each kind that holdstill reads: it is accepted, or refused with a code. Takes seconds. The seed is in the report, and
 * HOLDSTILL_SEED repeats it; HOLDSTILL_ROUNDS makes it longer.
 */
import assert from "node:assert/strict";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import path from "node:path";
import { inspect } from "node:util";
import test, { type TestContext } from "node:test";
import * as fc from "fast-check";
import { loadSettings } from "#core/base/config/load.js";
import { isHoldstillError } from "#core/base/errors/error.js";
import type { Health } from "#core/base/schema/types.js";
import { commandTable } from "#core/cli/table.js";
import { readManifest } from "#core/host/manifest/validate.js";
import { routes } from "#core/service/http/routes/routes.js";
import { Scene } from "../support/fixture/scene.js";
import { holdstill } from "../support/process/command-line.js";
import { Service } from "../support/process/service.js";
import { repository } from "../support/repository.js";

const { HOLDSTILL_SEED: givenSeed, HOLDSTILL_ROUNDS: rounds = "1" } = process.env;

function parameters(t: TestContext, runs: number): fc.Parameters<unknown> {
  const seed = givenSeed === undefined ? Date.now() % 2 ** 31 : Number(givenSeed);
  t.diagnostic(`HOLDSTILL_SEED=${seed}`);
  return { seed, numRuns: runs * Number(rounds), endOnFailure: true };
}

/** What programs trip over. */
const odd = fc.oneof(
  fc.constantFrom(
    "",
    " ",
    "-",
    "--",
    "~",
    "..",
    "\0",
    "\n",
    "\t",
    "\u2028",
    "é",
    "{",
    "}",
    "[",
    "]",
    ":",
    "&a",
    "*a",
    "!!js/function",
    "<<",
    "%",
    "$",
    "`",
    "'",
    '"',
  ),
  fc.constantFrom("__proto__", "constructor", "null", "true", "1e999", "-0", "0x10", "latest", "writer:", "writer:app"),
  fc.string({ maxLength: 40 }),
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.nat(5000).map((length) => "x".repeat(length)),
);

/** A text in which pieces are replaced, repeated, removed, or put elsewhere. */
function mutated(text: string): fc.Arbitrary<string> {
  const edit = fc.record({
    at: fc.nat(text.length),
    remove: fc.nat(30),
    insert: odd,
    times: fc.constantFrom(1, 1, 1, 1, 50, 2000),
  });
  return fc
    .array(edit, { minLength: 1, maxLength: 4 })
    .map((edits) =>
      edits.reduce(
        (now, { at, remove, insert, times }) =>
          now.slice(0, at) +
          insert.repeat(Math.min(times, Math.ceil(100_000 / (insert.length + 1)))) +
          now.slice(at + remove),
        text,
      ),
    );
}

/** Looser than any busy machine, and far below what an input without bounds takes, ms. */
const patience = 20_000;

async function inTime<T>(work: () => Promise<T>, what: string): Promise<T> {
  const from = performance.now();
  const result = await work();
  assert.ok(performance.now() - from < patience, `${what.slice(0, 300)}: ${performance.now() - from} ms`);
  return result;
}

const yaml = `pluginPaths: ["/opt/acme/plugins"]   # a comment
stateDir: &state /var/lib/holdstill
limits: { prepare: 10m, freeze: 60s, hold: 250ms }
plugins:
  - use: writer-postgres@^0.1.0
    as: pg-main
    policy: required
    options: { host: /run/postgresql, port: 5432, password: { env: PGPASSWORD } }
  - { use: provider-lvm, as: lvm, freeze: 5s }
service:
  socket: /run/holdstill.sock
  rights: { read: ["group:operators"], create: ["user:1000"] }
log: { level: info, file: *state }
`;

/** Half of a surrogate pair cannot be in a URL. */
const inUrl = (text: string): string => encodeURIComponent(Buffer.from(text).toString());

test("no config does more than be refused with a code", async (t) => {
  const stage = new Scene(t);
  const json = readFileSync(stage.configFile(), "utf8");
  for (const [name, text] of [
    ["fuzz.yaml", yaml],
    ["fuzz.json", json],
  ] as const) {
    const file = path.join(stage.dir, name);
    await fc.assert(
      fc.asyncProperty(mutated(text), async (input) => {
        writeFileSync(file, input);
        const error = await inTime(
          () =>
            loadSettings({ file, env: {} }).then(
              () => null,
              (thrown: unknown) => thrown,
            ),
          input,
        );
        if (error === null) return;
        assert.ok(isHoldstillError(error) && error.code.startsWith("E_CONFIG_"), inspect(error));
      }),
      parameters(t, 150),
    );
  }
});

test("no manifest does more than be refused with findings", async (t) => {
  const stage = new Scene(t);
  const dir = path.join(stage.dir, "plugin");
  cpSync(path.join(repository, "plugins/writer-postgres"), dir, { recursive: true });
  const file = path.join(dir, "plugin.json");
  await fc.assert(
    fc.asyncProperty(mutated(readFileSync(file, "utf8")), async (input) => {
      writeFileSync(file, input);
      const read = await inTime(() => readManifest(file), input);
      if (read.state === "invalid") assert.ok(read.findings.length > 0 && read.findings.length < 2000);
    }),
    parameters(t, 150),
  );
});

test("no request is answered with a bug, and the service goes on", async (t) => {
  const stage = new Scene(t);
  const service = await Service.start(t, stage);
  const known = fc.constantFrom(...routes).chain(({ method, path: url }) =>
    fc.record({
      method: fc.oneof(
        { weight: 5, arbitrary: fc.constant<string>(method) },
        { weight: 1, arbitrary: fc.constantFrom("PUT", "HEAD", "OPTIONS", "PATCH") },
      ),
      url: odd.map((key) => url.replace(/\{\w+\}/, inUrl(key.slice(0, 200)))),
      query: fc.oneof(
        fc.constant(""),
        odd.map((text) => `?timeout=${inUrl(text.slice(0, 50))}`),
      ),
    }),
  );
  const strange = fc.record({
    method: fc.constantFrom("GET", "POST", "DELETE"),
    url: fc.constantFrom(
      "*",
      "//",
      "///",
      "/%",
      "/%00",
      "/..",
      "/v1/../v1/sets",
      "http://x/v1/sets",
      "/v1/sets/%2e%2e",
      "/v1/sets?",
      "/;",
    ),
    query: fc.constant(""),
  });
  const body = fc.oneof(
    fc.constant(""),
    mutated('{"targets":["/nonexistent/target"],"name":"nightly","tags":{"a":"b"},"lease":"1s"}'),
    mutated('{"components":["a"],"to":"/nonexistent/to"}'),
    fc.jsonValue().map((value) => JSON.stringify(value)),
  );
  await fc.assert(
    fc.asyncProperty(fc.oneof({ weight: 4, arbitrary: known }, strange), body, async ({ method, url, query }, text) => {
      if (url === "/v1/recovery") return;
      const bytes = Buffer.from(text);
      const head = `${method} ${url}${query} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n`;
      const answer = await inTime(
        () => exchange(service, Buffer.concat([Buffer.from(`${head}content-length: ${bytes.length}\r\n\r\n`), bytes])),
        head,
      );
      const status = Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0);
      assert.ok(
        status < 500 || status === 503,
        `${method} ${url}${query} ${text.slice(0, 300)}: ${answer.slice(0, 600)}`,
      );
      assert.ok(!answer.includes("E_BUG"), answer.slice(0, 600));
    }),
    parameters(t, 200),
  );
  const health = (await service.ask("GET", "/v1/health")).json<Health>();
  assert.equal(health.status, "ok");
});

test("no command line is a bug", async (t) => {
  const stage = new Scene(t);
  const env = { HOLDSTILL_CONFIG: stage.configFile() };
  // Those that serve, or that write outside of the folder of this test.
  const left = ["serve", "init", "schedule"];
  const names = commandTable.map(({ name }) => name).filter((name) => !left.includes(name));
  const options = [
    "--json",
    "--json=stream",
    "--quiet",
    "--yes",
    "--dry-run",
    "--help",
    "--name",
    "--tag",
    "--require",
    "--keep-last",
    "--until",
    "--last",
    "--type",
    "--succeeded",
    "--no",
    "-x",
    "--json=no",
  ];
  const word = fc.oneof(
    fc.constantFrom(...options),
    odd.filter((text) => !text.includes("\0") && !text.startsWith("/")),
  );
  const line = fc.tuple(fc.constantFrom(...names), fc.array(word, { maxLength: 4 }), fc.boolean());
  await fc.assert(
    fc.asyncProperty(line, async ([name, words, runs]) => {
      const args = [...name.split(" "), ...words, ...(runs ? ["--", "true"] : [])];
      const { exitCode, stdout, stderr } = await inTime(() => holdstill(args, { env, cwd: stage.dir }), args.join(" "));
      const said = `${JSON.stringify(args).slice(0, 500)}: ${exitCode} ${stdout.slice(0, 500)} ${stderr.slice(0, 500)}`;
      assert.ok(exitCode !== null && exitCode !== 1 && exitCode < 10, said);
      // The manual names each code.
      if (exitCode !== 0) assert.doesNotMatch(stdout + stderr, /E_BUG|bug in holdstill|^\s+at .*:\d+:\d+/m, said);
    }),
    parameters(t, 40),
  );
});

/** What comes back for bytes that are sent as they are. */
async function exchange(service: Service, bytes: Buffer): Promise<string> {
  const socket = connect(service.socket);
  let text = "";
  socket.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  socket.on("error", () => undefined);
  socket.write(bytes);
  await new Promise((resolve) => socket.once("close", resolve));
  return text;
}
