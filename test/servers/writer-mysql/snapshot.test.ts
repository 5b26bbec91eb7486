import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import path from "node:path";
import test from "node:test";
import writer from "@holdstill/writer-mysql";
import { context } from "../../support/fixture/context.js";
import { verifyLedger } from "../../support/server/ledger.js";
import { MysqlFixture, leavesNothing, writerOptions } from "../../support/server/mysql-snapshot.js";
import { mariadb, missingServer } from "../../support/server/mysql-server.js";
import { sampleSet } from "../../support/fixture/sample-set.js";
import { unprivileged } from "../../support/process/unprivileged.js";
import { tempDir } from "../../support/storage/temp.js";

const skip = missingServer(mariadb);

test(
  "redo, undo, binary log and tables elsewhere are found, and repairing a snapshot touches none of the running server's",
  { skip },
  async (t) => {
    const elsewhere = ["redo", "undo", "binlog", "aria", "tables"];
    const bench = await MysqlFixture.lay(t, mariadb, {
      elsewhere,
      settings: (mount) => ({
        "innodb-log-group-home-dir": `${mount}/redo`,
        "log-bin": `${mount}/binlog/bin`,
        "aria-log-dir-path": `${mount}/aria`,
        "innodb-undo-directory": `${mount}/undo`,
        "symbolic-links": 1,
      }),
    });
    const { ctx, server, volume } = bench;
    await server.query(
      `CREATE TABLE books.far (id int PRIMARY KEY) ENGINE=InnoDB DATA DIRECTORY='${volume.mount}/tables'; INSERT INTO books.far VALUES (1)`,
    );
    const load = await bench.load();
    const snapshot = await bench.take();
    const { paths } = snapshot.tx.components[0] ?? { paths: [] };
    const expected = ["data", "redo", "undo", "binlog", "aria", "tables/books"].map(
      (name) => `${volume.mount}/${name}`,
    );
    assert.deepEqual(new Set(paths), new Set(expected));

    const exposed = bench.expose(snapshot.clone, paths);
    const report = await writer.repair?.(snapshot.tx, exposed, ctx);
    assert.deepEqual([report?.ok, report?.reason], [true, undefined]);
    await load.advance(50);
    await load.stop();
    const client = await server.connect({ database: "books" });
    await verifyLedger(client, load.acknowledged());
    await client.end();
    await server.halt();
    await server.start();
    assert.doesNotMatch(server.log(), /\[ERROR\]|corrupt/i);

    const verified = await writer.verify?.(snapshot.tx, bench.expose(volume.fork(snapshot.clone), paths), ctx);
    assert.equal(verified?.result, "opens", JSON.stringify(verified));
    assert.equal(verified?.facts?.["redoBytes"], 0, "it was repaired");
    await server.query("INSERT INTO books.far VALUES (2)");
    assert.deepEqual(await server.query("SELECT id FROM books.far"), [{ id: 1 }, { id: 2 }]);
  },
);

test(
  "a table that is made in another folder after the plan fails prepare, or seal, because a repair would write to the original",
  { skip },
  async (t) => {
    const bench = await MysqlFixture.lay(t, mariadb, { elsewhere: ["far"] });
    const { ctx, server, volume } = bench;
    const make = `CREATE TABLE books.far (id int PRIMARY KEY) ENGINE=InnoDB DATA DIRECTORY='${volume.mount}/far'`;
    const refusal = { code: "MYSQL_SNAPSHOT", message: new RegExp(`${volume.mount}/far/books, which is not captured`) };
    const tx = await bench.begin();
    await server.query(make);
    await assert.rejects(async () => writer.prepare?.(tx, ctx), refusal);
    await server.query("DROP TABLE books.far");

    await writer.prepare?.(tx, ctx);
    const token = await writer.freeze(tx, ctx);
    await server.query(make);
    assert.equal((await writer.thaw(tx, token, ctx)).uninterrupted, true);
    await assert.rejects(async () => writer.seal?.(tx, ctx), refusal);
    await writer.abort(tx, token, ctx);
    await leavesNothing(server);
  },
);

test("verify finds a damaged page, by CHECK TABLE and by its checksum", { skip }, async (t) => {
  const bench = await MysqlFixture.lay(t, mariadb, { options: { verify: "checksums" } });
  await bench.server.query(
    "CREATE TABLE books.big (id int PRIMARY KEY, x char(200)) SELECT seq AS id, 'x' AS x FROM books.seq_1_to_20000",
  );
  const snapshot = await bench.take();
  const good = bench.expose(bench.volume.fork(snapshot.clone));
  const verified = await writer.verify?.(snapshot.tx, good, bench.ctx);
  assert.equal(verified?.result, "opens", JSON.stringify(verified));
  assert.ok(Number(verified?.facts?.["tables"]) >= 3 && Number(verified?.facts?.["files"]) >= 3);

  const bad = bench.expose(bench.volume.fork(snapshot.clone));
  await writer.repair?.(snapshot.tx, bad, bench.ctx);
  const file = await open(path.join(bad.trees[0]?.path ?? "", "books/big.ibd"), "r+");
  await file.write(Buffer.alloc(16_384, 0x55), 0, 16_384, 20 * 16_384);
  await file.close();
  const damaged = await writer.verify?.(snapshot.tx, bad, bench.ctx);
  assert.equal(damaged?.result, "does-not-open");
  assert.match(JSON.stringify(damaged), /books[./]big/);
});

test(
  "the report of a snapshot that cannot be repaired has the reason: read-only, another version, another program, incomplete",
  { skip },
  async (t) => {
    const bench = await MysqlFixture.lay(t, mariadb);
    const snapshot = await bench.take();
    const exposed = bench.expose(snapshot.clone);
    const recover = async (options: Parameters<typeof writerOptions>[1], given = exposed): Promise<string> => {
      const report = await writer.repair?.(snapshot.tx, given, context(writerOptions(bench.server, options)));
      assert.equal(report?.ok, false);
      return report?.reason ?? "";
    };
    assert.match(await recover({}, { ...exposed, readOnly: true }), /read-only .*MYSQL_SNAPSHOT/);
    assert.match(await recover({ serverBinary: "/bin/true" }), /but \/bin\/true reports: .*MYSQL_VERSION/);
    // The server's user runs it.
    const dir = tempDir(t);
    chmodSync(dir, 0o755);
    const other = path.join(dir, "mariadbd");
    writeFileSync(other, "#!/bin/sh\necho 'mariadbd  Ver 10.11.1-MariaDB for Linux'\n", { mode: 0o755 });
    assert.match(
      await recover({ serverBinary: other }),
      /is of MariaDB 10\.11\.19, but .* Ver 10\.11\.1-MariaDB.*MYSQL_VERSION/,
    );
    assert.match(
      await recover({ serverArguments: ["--no-such-option"] }),
      /did not start, exit \d+: .*no-such-option.*MYSQL_SNAPSHOT/,
    );
    const begun = performance.now();
    const signal = AbortSignal.timeout(50);
    await assert.rejects(
      writer.repair?.(snapshot.tx, exposed, context(bench.ctx.options, { signal })) ?? Promise.resolve(),
      { name: /Timeout|Abort/ },
    );
    assert.ok(performance.now() - begun < 5000);
    assert.deepEqual(
      await writer.repair?.(snapshot.tx, exposed, bench.ctx).then(({ ok }) => ok),
      true,
      "none of it did harm",
    );
  },
);

test("a restore over a running server is refused, and over a stopped one is not", { skip }, async (t) => {
  const bench = await MysqlFixture.lay(t, mariadb);
  const [component] = await writer.identify(bench.ctx);
  assert.ok(component);
  const recorded = { writer: "db", component, volumes: [], consistency: "application" as const };
  const set = { ...sampleSet(), components: [recorded] };
  await assert.rejects(writer.beforeRestore?.(set, bench.ctx) ?? Promise.resolve(), {
    code: "MYSQL_RUNNING",
    message: new RegExp(`mariadbd runs on ${bench.server.dataDir} \\(process ${bench.server.pid}\\)`),
  });
  await bench.server.halt();
  await writer.beforeRestore?.(set, bench.ctx);
  await assert.rejects(async () => await writer.beforeRestore?.({ ...set, components: [] }, bench.ctx), {
    code: "MYSQL_SNAPSHOT",
  });
});

test("databases and tables that symbolic links lead to are found", { skip }, async (t) => {
  const bench = await MysqlFixture.lay(t, mariadb, { elsewhere: ["other"] });
  const other = path.join(bench.volume.mount, "other");
  mkdirSync(path.join(other, "far"));
  const { uid, gid } = unprivileged();
  chownSync(path.join(other, "far"), uid, gid);
  await bench.server.query("CREATE DATABASE linked; CREATE TABLE linked.old (id int) ENGINE=MyISAM");
  symlinkSync(path.join(other, "far"), path.join(bench.server.dataDir, "far"));
  const [component] = await writer.identify(bench.ctx);
  assert.deepEqual(component?.paths, [bench.server.dataDir, path.join(other, "far")]);
  assert.deepEqual(component?.facts?.["unlogged"], ["MyISAM"]);
  assert.ok(readdirSync(other).length > 0);
});
