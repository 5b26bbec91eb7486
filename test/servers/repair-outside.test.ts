/** Snapshots that lead to the server that was captured, past the writer's own checks: a repair cannot write there. */
import assert from "node:assert/strict";
import { readdirSync, unlinkSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import mysql from "@holdstill/writer-mysql";
import postgres from "@holdstill/writer-postgres";
import { canMakeReadOnlyNamespace } from "#core/os/exec/read-only-namespace.js";
import { context } from "../support/fixture/context.js";
import { MysqlFixture } from "../support/server/mysql-snapshot.js";
import { mariadb, mariadb11, missingServer, mysql9 } from "../support/server/mysql-server.js";
import { onEnd } from "../support/process/on-end.js";
import { versions } from "../support/server/postgres-binaries.js";
import {
  begin,
  exposed,
  serverWithLedger,
  takeCrashSnapshot,
  writerOptions,
} from "../support/server/postgres-snapshot.js";
import { scratch } from "../support/storage/scratch.js";
import { portrait } from "../support/storage/tree.js";
import { unprivileged } from "../support/process/unprivileged.js";

const confines = !canMakeReadOnlyNamespace() && "this process may not mount";

for (const flavour of [mariadb, mariadb11, mysql9]) {
  test(
    `${flavour.name}: a table that lies in a folder which no snapshot has stays as it is, byte by byte`,
    { skip: missingServer(flavour) || confines },
    async (t) => {
      const bench = await MysqlFixture.lay(t, flavour, {
        elsewhere: ["far"],
        settings: (mount) => ({ "loose-innodb-directories": `${mount}/far` }),
      });
      const { server, volume, ctx } = bench;
      const tx = await bench.begin();
      await mysql.prepare?.(tx, ctx);
      const token = await mysql.freeze(tx, ctx);
      await server.query(
        `CREATE TABLE books.far (id int PRIMARY KEY, x char(200)) ENGINE=InnoDB DATA DIRECTORY='${volume.mount}/far';
         INSERT INTO books.far SELECT id, 'x' FROM books.account`,
      );
      const clone = volume.cut();
      await mysql.thaw(tx, token, ctx);
      await assert.rejects(async () => mysql.seal?.(tx, ctx), { code: "MYSQL_SNAPSHOT" });
      // Nobody writes there now but whom this test is to catch.
      await server.halt("SIGKILL");
      const far = path.join(volume.mount, "far");
      const before = portrait(far);

      const shown = bench.expose(clone);
      await mysql.repair?.(tx, shown, ctx);
      await mysql.verify?.(tx, shown, ctx);
      assert.equal(portrait(far), before);
      await server.start();
      assert.deepEqual(await server.query("SELECT count(*) AS n FROM books.far WHERE x = 'x'"), [{ n: 200 }]);
    },
  );
}

for (const { name, bindir, skip } of versions()) {
  test(
    `${name}: a tablespace whose link redo makes anew stays as it is, byte by byte`,
    { skip: skip || confines },
    async (t) => {
      const far = scratch("far", unprivileged());
      onEnd(t, far.remove);
      const server = await serverWithLedger(t, { ...(bindir && { bindir }) });
      const ctx = context(writerOptions(server));
      const planned = await begin(t, ctx, "atomic");
      await server.query(`CREATE TABLESPACE far LOCATION '${far.path}'`);
      await server.query("CREATE TABLE late TABLESPACE far AS SELECT id FROM account");
      const taken = await takeCrashSnapshot(t, server, ctx);
      const snapshot = { ...taken, tx: { ...planned, sidecarDir: taken.sidecarDir }, copies: taken.copies.slice(0, 1) };
      // Else the writer would know of it.
      const links = path.join(snapshot.copies[0]?.copy ?? "", "pg_tblspc");
      for (const link of readdirSync(links)) unlinkSync(path.join(links, link));
      await server.halt("immediate");
      const before = portrait(far.path);

      await assert.rejects(async () => postgres.repair?.(snapshot.tx, exposed(snapshot), ctx), { code: "PG_RECOVERY" });
      assert.equal(portrait(far.path), before);
      await server.start();
      assert.deepEqual(await server.query("SELECT count(*)::int AS n FROM late"), [{ n: 200 }]);
    },
  );
}
