/** By the command line: a disaster, a restore, a start, and every row that was acknowledged before the cut. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import test from "node:test";
import { holdstill } from "../../support/process/command-line.js";
import { verifyLedger } from "../../support/server/ledger.js";
import { configured, MysqlFixture } from "../../support/server/mysql-snapshot.js";
import { mariadb, missingServer } from "../../support/server/mysql-server.js";

const skip = missingServer(mariadb);

test("a server whose data directory was deleted starts from what restore put back", { skip }, async (t) => {
  const bench = await MysqlFixture.lay(t, mariadb);
  const { server } = bench;
  const config = configured(bench, {}, "image");
  const load = await bench.load();
  await load.stop();
  const confirmed = load.acknowledged();
  const made = await holdstill(["create", "writer:db", "--require", "application", "--config", config]);
  assert.equal(made.exitCode, 0, made.stderr);

  const restore = ["restore", "latest", "--yes", "--config", config];
  const running = await holdstill(restore);
  assert.equal(running.exitCode, 4, running.stderr);
  assert.match(running.stderr, /mariadbd runs on /);
  rmSync(server.dataDir, { recursive: true });
  const deleted = await holdstill(restore);
  assert.equal(deleted.exitCode, 4, "it still runs, in the folder that was deleted");
  await server.halt("SIGKILL");

  const restored = await holdstill(restore);
  assert.equal(restored.exitCode, 0, restored.stderr);
  assert.doesNotMatch(restored.stderr, /must be finished/);
  await server.start();
  const client = await server.connect({ database: "books" });
  await verifyLedger(client, confirmed);
  await client.end();
});
