/** What `init` writes beside servers that cannot be reached as usual: what was found, or a comment that says what is missing. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { holdstill } from "../support/process/command-line.js";
import { onEnd } from "../support/process/on-end.js";
import { missingPostgres } from "../support/server/postgres-binaries.js";
import { type PostgresServer, startPostgres } from "../support/server/postgres-server.js";
import { tempDir } from "../support/storage/temp.js";

const skip = missingPostgres();

async function start(t: TestContext, config: Record<string, string | number> = {}): Promise<PostgresServer> {
  const server = await startPostgres({ config });
  onEnd(t, async () => await server.stop("immediate"));
  return server;
}

/** The lines up to those of the next server, or of the providers. */
const blockFrom = (text: string, at: number): string =>
  text.slice(at).split(/\n {2}# (?:PostgreSQL in|MySQL or|Without)|\n\n/)[0] ?? "";

/** The block for the server, from its comment to the next one; and whether it is among the targets. */
async function blockOf(server: PostgresServer): Promise<{ block: string; isTarget: boolean }> {
  const ran = await holdstill(["init", "--print", "--json"]);
  const { text, targets } = ran.json() as { text: string; targets: string[] };
  const from = text.indexOf(`# PostgreSQL in ${server.dataDir}`);
  assert.ok(from >= 0, text);
  const block = blockFrom(text, from);
  const name = /as: (\S+)/.exec(block)?.[1] ?? "";
  return { block, isTarget: targets.includes(`writer:${name}`) };
}

test("a port that differs, and a blank in the socket's folder, are those of the server", { skip }, async (t) => {
  const dir = path.join(tempDir(t), "a b");
  mkdirSync(dir);
  chmodSync(path.dirname(dir), 0o755);
  chmodSync(dir, 0o777);
  const { block, isTarget } = await blockOf(await start(t, { port: 5477, unix_socket_directories: `"${dir}"` }));
  assert.ok(isTarget);
  assert.match(block, /^ {2}- use: writer-postgres$/m, "a bundled plugin has no range");
  assert.ok(block.includes(`host: "${dir}"\n      port: 5477`), block);
});

for (const [folders, what] of [
  ["", "TCP only"],
  [`@holdstill-test-${process.pid}`, "an abstract socket"],
] as const)
  test(`a server with ${what} is reached at its address`, { skip }, async (t) => {
    const server = await start(t, { unix_socket_directories: folders, listen_addresses: "127.0.0.1", port: 5478 });
    const { block, isTarget } = await blockOf(server);
    assert.ok(isTarget, block);
    assert.match(block, /host: "127\.0\.0\.1"\n {6}port: 5478/);
  });

test("where no folder and no address is known, the block is a comment that says so", { skip }, async (t) => {
  const { block, isTarget } = await blockOf(await start(t, { unix_socket_directories: ".", port: 5479 }));
  assert.ok(!isTarget);
  assert.match(block.replaceAll(/\n *# /g, " "), /The value of host could not be found out: add it/);
  assert.match(block, /^ {2}# - use: writer-postgres$/m);
});

test(
  "where root may not log in, the account is written with the steps for it, and then a plan can be made",
  { skip },
  async (t) => {
    const server = await start(t);
    const access = async (lines: string): Promise<void> => {
      writeFileSync(path.join(server.dataDir, "pg_hba.conf"), lines);
      process.kill(server.pid ?? 0, "SIGHUP");
      await sleep(500);
    };
    await access("local all all peer\n");
    const file = path.join(tempDir(t), "holdstill.yaml");
    assert.equal((await holdstill(["init", "--config", file, "--yes"])).exitCode, 0);
    const text = readFileSync(file, "utf8");
    const own = blockFrom(text, text.indexOf(`# PostgreSQL in ${server.dataDir}`));
    const name = /as: (\S+)/.exec(own)?.[1] ?? "";
    assert.match(own, /^ {6}user: "holdstill"$/m);
    assert.equal((await holdstill(["plan", `writer:${name}`, "--config", file])).exitCode, 4);

    const lineOf = (pattern: RegExp): string => pattern.exec(own)?.[1] ?? assert.fail(own);
    await access("local all all trust\n");
    for (const [, sql = ""] of own.split(/as: /)[0]?.matchAll(/-c '([^']+)'/g) ?? []) await server.query(sql);
    writeFileSync(path.join(server.dataDir, "pg_ident.conf"), `${lineOf(/# +(holdstill +root +holdstill)$/m)}\n`);
    await access(`${lineOf(/# +(local +postgres +holdstill .*)$/m)}\nlocal all all peer\n`);
    const planned = await holdstill(["plan", `writer:${name}`, "--config", file]);
    assert.equal(planned.exitCode, 0, planned.stderr);
  },
);
