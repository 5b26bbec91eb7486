/** A server with settings of its own for formats and places, whose snapshot is repaired: nothing that can be queried is lost. */
import assert from "node:assert/strict";
import test from "node:test";
import writer from "@holdstill/writer-mysql";
import { MysqlFixture } from "../../support/server/mysql-snapshot.js";
import { mariadb, missingServer, mysql9 } from "../../support/server/mysql-server.js";

const unusual = {
  "innodb-page-size": "64k",
  "innodb-data-file-path": "first:12M;second:20M:autoextend",
  "innodb-undo-tablespaces": 3,
  "innodb-checksum-algorithm": "full_crc32",
  "innodb-log-file-size": "10M",
  "aria-block-size": 8192,
  "aria-log-file-size": "16M",
  "lower-case-table-names": 1,
  "gtid-domain-id": 7,
  "character-set-server": "utf8mb4",
  "collation-server": "utf8mb4_bin",
};

test(
  "unusual formats and places: everything is in the repaired snapshot",
  { skip: missingServer(mariadb) },
  async (t) => {
    const bench = await MysqlFixture.lay(t, mariadb, { settings: unusual });
    const { ctx, server } = bench;
    const load = await bench.load();
    await server.query("CREATE TABLE books.Parts (id int PRIMARY KEY, x text) PARTITION BY HASH(id) PARTITIONS 4");
    await server.query("INSERT INTO books.Parts SELECT seq, repeat('é', 3000) FROM books.seq_1_to_300");
    await server.query("CREATE TABLE books.Versions (id int PRIMARY KEY, x int) WITH SYSTEM VERSIONING");
    await server.query("INSERT INTO books.Versions VALUES (1, 1)");
    await server.query("UPDATE books.Versions SET x = 2");
    await server.query("CREATE SEQUENCE books.Numbers START WITH 5");
    await server.query("SELECT NEXTVAL(books.Numbers)");
    await server.query("CREATE TABLE books.Aria (id int PRIMARY KEY, x text) ENGINE=Aria TRANSACTIONAL=1");
    await server.query("INSERT INTO books.Aria SELECT seq, repeat('x', 500) FROM books.seq_1_to_200");
    const everything = `
    SELECT (SELECT count(*) FROM books.parts) AS parts, (SELECT count(*) FROM books.versions FOR SYSTEM_TIME ALL) AS versions,
    (SELECT sum(crc32(x)) FROM books.parts) AS sum, (SELECT count(*) FROM books.aria) AS aria, @@collation_server AS collation`;
    const before = await server.query(everything);
    const snapshot = await bench.take();
    await load.stop();
    const exposed = bench.expose(snapshot.clone);
    const report = await writer.repair?.(snapshot.tx, exposed, ctx);
    assert.deepEqual([report?.ok, report?.reason], [true, undefined]);
    const verified = await writer.verify?.(snapshot.tx, bench.expose(bench.volume.fork(snapshot.clone)), ctx);
    assert.equal(verified?.result, "opens", JSON.stringify(verified));
    const second = await bench.open(exposed, unusual);
    assert.deepEqual(await second.query(everything), before);
    assert.doesNotMatch(second.log(), /\[ERROR\]|corrupt/i);
  },
);

/** Each of them alone made the writer fail, or another of its statements would have. */
const limits = [
  "max_join_size = 1",
  "sql_select_limit = 1",
  "sql_safe_updates = 1",
  "group_concat_max_len = 4",
  "max_allowed_packet = 1024",
  "net_read_timeout = 1",
  "net_write_timeout = 1",
  "wait_timeout = 1",
  "lock_wait_timeout = 1",
  "autocommit = 0",
  "time_zone = '+05:45'",
  "lc_messages = 'de_DE'",
];

for (const flavour of [mariadb, mysql9])
  test(
    `${flavour.name}: limits that are set for clients do not apply to the writer`,
    { skip: missingServer(flavour) },
    async (t) => {
      const bench = await MysqlFixture.lay(t, flavour);
      const { ctx, server } = bench;
      await server.query("CREATE TABLE books.old (id int) ENGINE=MyISAM");
      const strict =
        flavour === mariadb ? "ANSI_QUOTES,ORACLE,NO_BACKSLASH_ESCAPES" : "ANSI_QUOTES,NO_BACKSLASH_ESCAPES";
      for (const limit of [...limits, `sql_mode = '${strict}'`]) await server.query(`SET GLOBAL ${limit}`);
      const snapshot = await bench.take();
      const exposed = bench.expose(snapshot.clone);
      const report = await writer.repair?.(snapshot.tx, exposed, ctx);
      assert.deepEqual([report?.ok, report?.reason], [true, undefined]);
    },
  );
