import assert from "node:assert/strict";
import test from "node:test";
import writer from "@holdstill/writer-mysql";
import { context } from "../../support/fixture/context.js";
import { verifyLedger } from "../../support/server/ledger.js";
import { MysqlFixture, leavesNothing, type Options } from "../../support/server/mysql-snapshot.js";
import { mariadb, mariadb11, missingServer, mysql9, type MysqlServer } from "../../support/server/mysql-server.js";
import { onEnd } from "../../support/process/on-end.js";

const skip = missingServer(mariadb);

/** A table that no redo log covers, and one row in it. */
async function withMyisam(bench: MysqlFixture): Promise<void> {
  await bench.server.query("CREATE TABLE books.old (id int) ENGINE=MyISAM");
  await bench.server.query("INSERT INTO books.old VALUES (1)");
}

/** A session that does something and is not waited for; what came of it in the end. */
async function meanwhile(bench: MysqlFixture, sql: string): Promise<{ outcome: Promise<unknown>; thread: number }> {
  const client = await bench.server.connect({ database: "books" });
  onEnd(bench.t, () => client.cut());
  const outcome = client.query(sql).catch((error: unknown) => error);
  await new Promise((resolve) => setTimeout(resolve, 300));
  return { outcome, thread: client.thread };
}

async function isFree(server: MysqlServer): Promise<void> {
  await server.query("INSERT INTO books.old VALUES (2)");
  await leavesNothing(server);
}

for (const { flavour, lock } of [
  { flavour: mariadb, lock: "backup-stage" },
  { flavour: mariadb11, lock: "backup-stage" },
  { flavour: mysql9, lock: "read-lock" },
]) {
  test(
    `${flavour.name}: with MyISAM tables clients that write wait, and the position is the snapshot's own`,
    { skip: missingServer(flavour) },
    async (t) => {
      const bench = await MysqlFixture.lay(t, flavour);
      await withMyisam(bench);
      const { ctx, server, volume } = bench;
      const load = await bench.load();
      const tx = await bench.begin();
      assert.deepEqual(tx.components[0]?.facts?.["unlogged"], ["MyISAM"]);
      assert.match(tx.components[0].method?.atomic ?? "", /(BACKUP STAGE|read lock), so clients that write wait/);
      await writer.prepare?.(tx, ctx);
      const confirmed = load.acknowledged();
      await load.advance(20);
      const token = await writer.freeze(tx, ctx);
      const insert = await meanwhile(bench, "INSERT INTO old VALUES (3)");
      const clone = volume.cut();
      assert.deepEqual(await server.query("SELECT count(*) AS n FROM books.old WHERE id = 3"), [{ n: 0 }]);
      const thaw = await writer.thaw(tx, token, ctx);
      assert.deepEqual([thaw.uninterrupted, thaw.reason], [true, undefined]);
      await insert.outcome;
      assert.deepEqual(await server.query("SELECT count(*) AS n FROM books.old WHERE id = 3"), [{ n: 1 }]);
      const { facts } = (await writer.seal?.(tx, ctx)) ?? {};
      assert.equal(facts?.["lock"], lock);
      await isFree(server);
      await load.stop();

      const exposed = bench.expose(clone);
      const report = await writer.repair?.(tx, exposed, ctx);
      assert.deepEqual([report?.ok, report?.reason], [true, undefined]);
      const from = facts?.["from"] as { file: string; offset: number; gtid?: string };
      assert.deepEqual([report?.facts?.["file"], report?.facts?.["offset"]], [from.file, from.offset]);
      assert.equal(report?.facts?.["gtid"], from.gtid);
      const second = await bench.open(exposed);
      const [check] = await second.query<{ Msg_text: string }>("CHECK TABLE books.old");
      assert.equal(check?.Msg_text, "OK", "it was closed when the snapshot was taken");
      assert.deepEqual(await second.query("SELECT id FROM books.old"), [{ id: 1 }]);
      const client = await second.connect({ database: "books" });
      await verifyLedger(client, confirmed);
      await client.end();
    },
  );

  test(
    `${flavour.name}: a lock is waited for in bounds, and the statement that blocks it is named and lives on`,
    { skip: missingServer(flavour) },
    async (t) => {
      const bench = await MysqlFixture.lay(t, flavour);
      await withMyisam(bench);
      const { ctx, server } = bench;
      const tx = await bench.begin();
      await writer.prepare?.(tx, ctx);
      const long = await meanwhile(bench, "UPDATE old SET id = id + sleep(6)");
      const begun = performance.now();
      await assert.rejects(writer.freeze(tx, ctx), (error: Error) => {
        assert.equal("code" in error && error.code, "MYSQL_BLOCKED");
        assert.match(error.message, new RegExp(`thread ${long.thread} of root@localhost runs UPDATE old SET id`));
        return true;
      });
      assert.ok(performance.now() - begun < 4500, "the limit was 2 s");
      const insert = performance.now();
      await server.query("INSERT INTO books.account VALUES (0, 0); DELETE FROM books.account WHERE id = 0");
      assert.ok(performance.now() - insert < 1500, "no client waits for an aborted lock");
      await writer.abort(tx, null, ctx);
      const ended = await long.outcome;
      assert.ok(!(ended instanceof Error), "it was not killed");
      await isFree(server);
    },
  );
}

test("with killBlockers the statement is ended, and told", { skip }, async (t) => {
  const bench = await MysqlFixture.lay(t, mariadb, { options: { killBlockers: true, lockSeconds: 4 } });
  await withMyisam(bench);
  const { ctx, server } = bench;
  const tx = await bench.begin();
  await writer.prepare?.(tx, ctx);
  const long = await meanwhile(bench, "UPDATE old SET id = id + sleep(30)");
  const begun = performance.now();
  const token = await writer.freeze(tx, ctx);
  assert.ok(performance.now() - begun < 6000);
  assert.equal((await writer.thaw(tx, token, ctx)).uninterrupted, true);
  assert.match(
    ctx.complaints.join("\n"),
    new RegExp(`killing thread ${long.thread} of root@localhost runs UPDATE old`),
  );
  await long.outcome;
  await writer.abort(tx, token, ctx);
  await isFree(server);
});

test("a session that idles with LOCK TABLES is named, and so is another backup", { skip }, async (t) => {
  const bench = await MysqlFixture.lay(t, mariadb);
  await withMyisam(bench);
  const { ctx, server } = bench;
  const idler = await server.connect({ database: "books" });
  onEnd(t, () => idler.cut());
  await idler.query("LOCK TABLES old WRITE");
  const tx = await bench.begin();
  await assert.rejects(writer.prepare?.(tx, ctx) ?? Promise.resolve(), {
    code: "MYSQL_BLOCKED",
    message: new RegExp(`thread ${idler.thread} of root@localhost idles, perhaps with a lock`),
  });
  await writer.abort(tx, null, ctx);
  await idler.query("UNLOCK TABLES");
  await isFree(server);

  await idler.query("BACKUP STAGE START");
  const second = await bench.begin();
  await assert.rejects(writer.prepare?.(second, ctx) ?? Promise.resolve(), { code: "MYSQL_BLOCKED" });
  await writer.abort(second, null, ctx);
  await idler.query("BACKUP STAGE END");
  await isFree(server);
});

test(
  "an open transaction with row locks and running DDL hold nothing up that is of InnoDB alone",
  { skip },
  async (t) => {
    const bench = await MysqlFixture.lay(t, mariadb);
    const { ctx, server } = bench;
    await server.query(
      "CREATE TABLE books.big (id int PRIMARY KEY, x char(200)) SELECT seq AS id, 'x' AS x FROM books.seq_1_to_200000",
    );
    const idler = await server.connect({ database: "books" });
    onEnd(t, () => idler.cut());
    await idler.query("BEGIN; UPDATE account SET balance = balance + 1");
    const ddl = await meanwhile(bench, "ALTER TABLE big ADD INDEX (x, id), ALGORITHM=COPY");
    const begun = performance.now();
    const snapshot = await bench.take();
    assert.equal(snapshot.thaw.uninterrupted, true);
    assert.ok(performance.now() - begun < 5000);
    const exposed = bench.expose(snapshot.clone);
    const report = await writer.repair?.(snapshot.tx, exposed, ctx);
    assert.deepEqual([report?.ok, report?.reason], [true, undefined]);
    const second = await bench.open(exposed);
    assert.deepEqual(await second.query("SELECT count(*) AS n, sum(balance) AS s FROM books.account"), [
      { n: 200, s: "0" },
    ]);
    assert.deepEqual(await second.query("SELECT count(*) AS n FROM books.big"), [{ n: 200_000 }]);
    await ddl.outcome;
    await idler.query("ROLLBACK");
    await leavesNothing(server);
  },
);

test("a table without redo log that comes after prepare is told", { skip }, async (t) => {
  const bench = await MysqlFixture.lay(t, mariadb);
  const tx = await bench.begin();
  await writer.prepare?.(tx, bench.ctx);
  const token = await writer.freeze(tx, bench.ctx);
  await withMyisam(bench);
  const thaw = await writer.thaw(tx, token, bench.ctx);
  assert.equal(thaw.uninterrupted, false);
  assert.match(thaw.reason ?? "", /a table of MyISAM was made meanwhile/);
  await isFree(bench.server);
});

test(
  "a lock whose session died is gone from the server, and thaw reports that it did not hold",
  { skip },
  async (t) => {
    const bench = await MysqlFixture.lay(t, mariadb);
    await withMyisam(bench);
    const { ctx, server } = bench;
    const tx = await bench.begin();
    await writer.prepare?.(tx, ctx);
    const token = await writer.freeze(tx, ctx);
    const { thread } = token as { thread: number };
    await server.query(`KILL ${thread}`);
    await server.query("INSERT INTO books.old VALUES (2)");
    const thaw = await writer.thaw(tx, token, ctx);
    assert.equal(thaw.uninterrupted, false);
    assert.match(thaw.reason ?? "", /the session ended/);
    await isFree(server);
  },
);

test(
  "a freeze whose deadline comes while it waits is cut off, and abort leaves the server free",
  { skip },
  async (t) => {
    const bench = await MysqlFixture.lay(t, mariadb, { options: { lockSeconds: 60 } satisfies Partial<Options> });
    await withMyisam(bench);
    const { ctx, server } = bench;
    const tx = await bench.begin();
    await writer.prepare?.(tx, ctx);
    const long = await meanwhile(bench, "UPDATE old SET id = id + sleep(5)");
    const cut = context(ctx.options, { signal: AbortSignal.timeout(700) });
    await assert.rejects(writer.freeze(tx, cut), { name: "TimeoutError" });
    await writer.abort(tx, null, ctx);
    const insert = performance.now();
    await server.query("INSERT INTO books.account VALUES (0, 0); DELETE FROM books.account WHERE id = 0");
    assert.ok(performance.now() - insert < 1500);
    await long.outcome;
    await isFree(server);
  },
);
