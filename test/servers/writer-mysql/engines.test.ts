/** Tables in engines, with plugins, and by names that are not the usual ones. */
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import writer from "@holdstill/writer-mysql";
import { holdstill } from "../../support/process/command-line.js";
import { oddNames } from "../../support/server/odd-names.js";
import { configured, MysqlFixture } from "../../support/server/mysql-snapshot.js";
import { mariadb, missingServer } from "../../support/server/mysql-server.js";

const skip = missingServer(mariadb);
const lacks = (library: string): string | false =>
  skip === false && !existsSync(`/usr/lib/mysql/plugin/${library}.so`) ? `no ${library}.so` : skip;

test(
  "tables that a plugin compressed, or encrypted, are repaired and examined with that plugin",
  { skip: lacks("provider_lz4") },
  async (t) => {
    const bench = await MysqlFixture.lay(t, mariadb, {
      settings(mount) {
        const keys = path.join(path.dirname(mount), "keys");
        writeFileSync(keys, `1;${"0123456789abcdef".repeat(2)}\n`, { mode: 0o644 });
        return {
          "plugin-load": "file_key_management",
          "file-key-management-filename": keys,
          "loose-innodb-encrypt-log": 1,
          "encrypt-binlog": 1,
        };
      },
    });
    const { server, ctx } = bench;
    // From the table mysql.plugin, which a server without grants does not read.
    await server.query("INSTALL SONAME 'provider_lz4'; SET GLOBAL innodb_compression_algorithm = lz4");
    await server.query(
      `CREATE TABLE books.small (id int PRIMARY KEY, x char(200)) PAGE_COMPRESSED=1 SELECT seq AS id, 'x' AS x FROM books.seq_1_to_5000;
       CREATE TABLE books.secret (id int PRIMARY KEY, x char(200)) ENCRYPTED=YES SELECT seq AS id, 'x' AS x FROM books.seq_1_to_5000`,
    );
    const snapshot = await bench.take();
    const exposed = bench.expose(snapshot.clone);
    const repaired = await writer.repair?.(snapshot.tx, exposed, ctx);
    assert.deepEqual([repaired?.ok, repaired?.reason], [true, undefined]);
    const verified = await writer.verify?.(snapshot.tx, exposed, ctx);
    assert.equal(verified?.result, "opens", JSON.stringify(verified));
    await server.query("UNINSTALL SONAME 'provider_lz4'");
    const plugins = snapshot.tx.components[0]?.facts?.["plugins"] as { name: string }[];
    const without = plugins.filter(({ name }) => name !== "provider_lz4");
    const components = snapshot.tx.components.map((one) => ({
      ...one,
      facts: {
        ...one.facts,
        plugins: [...without, { name: "provider_lz4", library: "nowhere", load: "plugin-load-add" }],
      },
    }));
    const unexamined = await writer.verify?.({ ...snapshot.tx, components }, exposed, ctx);
    assert.equal(unexamined?.result, "not-examined", JSON.stringify(unexamined));
    assert.match(JSON.stringify(unexamined), /lacks what the tables need: .*nowhere/);
  },
);

test(
  "RocksDB's folder on another volume belongs to the server, and its rows are in the snapshot",
  { skip: lacks("ha_rocksdb") },
  async (t) => {
    const bench = await MysqlFixture.lay(t, mariadb, {
      elsewhere: ["rocks"],
      settings: (mount) => ({ "plugin-load": "ha_rocksdb", "rocksdb-datadir": `${mount}/rocks` }),
    });
    const { server, volume, ctx } = bench;
    await server.query(
      "CREATE TABLE books.r (id int PRIMARY KEY) ENGINE=ROCKSDB; INSERT INTO books.r VALUES (1), (2), (3)",
    );
    const snapshot = await bench.take();
    const { paths = [], notCovered } = snapshot.tx.components[0] ?? {};
    assert.deepEqual([paths, notCovered], [[server.dataDir, `${volume.mount}/rocks`], undefined]);
    const exposed = bench.expose(snapshot.clone, paths);
    const repaired = await writer.repair?.(snapshot.tx, exposed, ctx);
    assert.deepEqual([repaired?.ok, repaired?.reason], [true, undefined]);
    await server.halt("SIGKILL");
    const settings = { "plugin-load": "ha_rocksdb", "rocksdb-datadir": exposed.trees[1]?.path ?? "" };
    const second = await bench.open(exposed, settings);
    assert.deepEqual(await second.query("SELECT id FROM books.r"), [{ id: 1 }, { id: 2 }, { id: 3 }]);
    await second.stop();
  },
);

test(
  "tables whose rows no snapshot has are named, in the plan and in the record",
  { skip: lacks("ha_sphinx") },
  async (t) => {
    const bench = await MysqlFixture.lay(t, mariadb, { settings: { "plugin-load": "ha_sphinx" } });
    await bench.server.query(
      `CREATE TABLE books.cache (id int) ENGINE=MEMORY;
     CREATE TABLE books.parts (id int) ENGINE=MEMORY PARTITION BY HASH (id) PARTITIONS 2;
     CREATE TABLE books.plain (id int) ENGINE=InnoDB PARTITION BY HASH (id) PARTITIONS 2;
     CREATE VIEW books.seen AS SELECT 1;
     CREATE SEQUENCE books.numbers;
     SET GLOBAL innodb_file_per_table = 0; CREATE TABLE books.inside (id int) ENGINE=InnoDB`,
    );
    const [before] = await writer.identify(bench.ctx);
    assert.deepEqual(before?.facts?.["memoryTables"], ["books/cache", "books/parts"]);
    assert.deepEqual([before?.notCovered, before?.facts?.["unknownTables"]], [undefined, []]);
    await bench.server.query(
      `CREATE TABLE books.found (id int unsigned NOT NULL, weight int NOT NULL, query varchar(300) NOT NULL, INDEX (query))
       ENGINE=SPHINX CONNECTION='sphinx://127.0.0.1:1/x'`,
    );
    const config = configured(bench, {}, "image");
    const planned = await holdstill(["plan", "writer:db", "--config", config]);
    assert.match(planned.stdout, /books\/found \(SPHINX\)/);
    const refused = await holdstill(["create", "writer:db", "--require", "application", "--config", config]);
    assert.equal(refused.exitCode, 3, refused.stderr);
    const made = await holdstill(["create", "writer:db", "--config", config]);
    assert.equal(made.exitCode, 0, made.stderr);
    const shown = await holdstill(["show", "latest", "--json", "--config", config]);
    const { consistency, components, writers } = JSON.parse(shown.stdout) as {
      consistency: string;
      components: { reason?: string }[];
      writers: { state: string; repair?: { state: string } }[];
    };
    assert.notEqual(consistency, "application");
    assert.match(components[0]?.reason ?? "", /books\/found \(SPHINX\)/);
    assert.deepEqual([writers[0]?.state, writers[0]?.repair?.state], ["frozen", "repaired"]);
  },
);

/** Also placeholders, and what the server writes in another way in names of files. */
const names = [...oddNames, "?", "??", "#sql", "@at"];

const quoted = (name: string): string => `\`${name.replaceAll("`", "``")}\``;

test("names of any kind are quoted as identifiers everywhere", { skip }, async (t) => {
  const bench = await MysqlFixture.lay(t, mariadb, { options: { verify: "checksums" } });
  for (const name of names) {
    await bench.server.query(
      `CREATE DATABASE ${quoted(name)}; CREATE TABLE ${quoted(name)}.${quoted(name)} (id int PRIMARY KEY)`,
    );
  }
  const snapshot = await bench.take();
  const exposed = bench.expose(snapshot.clone);
  const repaired = await writer.repair?.(snapshot.tx, exposed, bench.ctx);
  assert.deepEqual([repaired?.ok, repaired?.reason], [true, undefined]);
  const verified = await writer.verify?.(snapshot.tx, exposed, bench.ctx);
  assert.equal(verified?.result, "opens", JSON.stringify(verified));
  assert.ok(Number(verified?.facts?.["tables"]) >= names.length, JSON.stringify(verified));
});
