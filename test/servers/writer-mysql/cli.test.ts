/** The whole way, with the command line: the keeper holds a real file system, the writer repairs a fork of its snapshot. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import type { TransactionResult } from "#core/engine/types.js";
import type { SnapshotSet } from "#core/base/schema/types.js";
import { type CliRun, holdstill } from "../../support/process/command-line.js";
import { verifyLedger } from "../../support/server/ledger.js";
import { MysqlFixture, configured, leavesNothing } from "../../support/server/mysql-snapshot.js";
import { install, mariadb, missingServer, MysqlServer } from "../../support/server/mysql-server.js";
import { onEnd } from "../../support/process/on-end.js";

const skip = missingServer(mariadb);

test(
  "a set under load holds the books, and its fork opens at once with the position that the record names",
  { skip },
  async (t) => {
    const bench = await MysqlFixture.lay(t, mariadb);
    const config = configured(bench, {}, "image");
    const on = async (...args: string[]): Promise<CliRun> => await holdstill([...args, "--config", config]);
    onEnd(t, async () => void (await on("unexpose", "latest")));
    assert.match((await on("plan", "writer:db")).stdout, /required +server +no lock; snapshot repaired/);
    const load = await bench.load();
    const confirmed = load.acknowledged();
    const made = await on("create", "writer:db", "--require", "application", "--json");
    assert.equal(made.exitCode, 0, made.stderr + made.stdout);
    await load.advance(50);
    await load.stop();
    await leavesNothing(bench.server);
    const set = (made.json() as TransactionResult).set as SnapshotSet;
    assert.deepEqual([set.cut, set.consistency], ["atomic", "application"]);
    const repair = set.writers[0]?.repair;
    assert.deepEqual([repair?.state, repair?.in], ["repaired", [`${set.id}-fork`]]);

    const exposed = await on("expose", "latest", "--quiet");
    assert.equal(exposed.exitCode, 0, exposed.stderr);
    const places = exposed.stdout.trim().split("\n");
    const dataDir = places.find((place) => existsSync(path.join(place, "ib_logfile0"))) ?? "";
    assert.notEqual(dataDir, "", exposed.stdout);
    const gtids: string[] = [];
    for (const place of places) {
      const { trees } = { trees: [{ original: bench.server.dataDir, path: place }] };
      const second = await bench.open({ trees, readOnly: false });
      gtids.push((await second.query<{ gtid: string }>("SELECT @@global.gtid_binlog_pos AS gtid"))[0]?.gtid ?? "");
      const client = await second.connect({ database: "books" });
      await verifyLedger(client, confirmed);
      await client.end();
      await second.stop();
    }
    assert.ok(gtids.includes(String(repair?.facts?.["gtid"])), `${gtids.join(" ")} ${JSON.stringify(repair?.facts)}`);
    assert.equal((await on("unexpose", "latest")).exitCode, 0);
    assert.equal((await on("delete", "latest", "--yes")).exitCode, 0);
  },
);

test("a provider that copies is refused for a server, before anything is touched", { skip }, async (t) => {
  const bench = await MysqlFixture.lay(t, mariadb);
  const refused = await holdstill(["create", "writer:db", "--config", configured(bench, {}, "embedded")]);
  assert.equal(refused.exitCode, 3, refused.stderr);
  assert.match(refused.stderr, /point-in-time/);
  assert.match(refused.stderr, /→ .*on LVM for provider-lvm, or let provider-dmsnap take their volume/);
});

test("a lock that is not granted ends the transaction, with the writer's own words", { skip }, async (t) => {
  const bench = await MysqlFixture.lay(t, mariadb);
  await bench.server.query("CREATE TABLE books.old (id int) ENGINE=MyISAM");
  const idler = await bench.server.connect({ database: "books" });
  onEnd(t, () => idler.cut());
  await idler.query("LOCK TABLES old WRITE");
  const config = configured(bench, { lockSeconds: 1 }, "image");
  const failed = await holdstill(["create", "writer:db", "--config", config]);
  assert.equal(failed.exitCode, 4, failed.stderr);
  assert.match(failed.stderr, new RegExp(`thread ${idler.thread} of root@localhost idles, perhaps with a lock`));
  await idler.query("UNLOCK TABLES");
  await leavesNothing(bench.server);
});

test("several servers are captured in one set", { skip }, async (t) => {
  const bench = await MysqlFixture.lay(t, mariadb);
  const dataDir = path.join(bench.volume.mount, "second");
  install(mariadb, dataDir);
  const other = new MysqlServer(mariadb, dataDir);
  onEnd(t, async () => await other.stop());
  await other.start();
  const config = configured(bench, {}, "image");
  const document = JSON.parse(readFileSync(config, "utf8")) as { plugins: unknown[] };
  document.plugins.unshift({ use: "writer-mysql", as: "other", options: { socket: other.socket } });
  writeFileSync(config, JSON.stringify(document));
  const made = await holdstill(["create", "writer:db", "writer:other", "--config", config, "--json"]);
  assert.equal(made.exitCode, 0, made.stderr + made.stdout);
  const set = (made.json() as TransactionResult).set as SnapshotSet;
  assert.deepEqual(
    set.writers.map(({ state, repair }) => [state, repair?.state]),
    [
      ["frozen", "repaired"],
      ["frozen", "repaired"],
    ],
  );
  // Another one that runs does not keep this one's data from being put back.
  await other.halt();
  const restored = await holdstill(["restore", "latest", "other", "--yes", "--config", config]);
  assert.equal(restored.exitCode, 0, restored.stderr);
  await other.start();
  assert.equal((await holdstill(["restore", "latest", "db", "--yes", "--config", config])).exitCode, 4);
  assert.equal((await holdstill(["delete", "latest", "--yes", "--config", config])).exitCode, 0);
});
