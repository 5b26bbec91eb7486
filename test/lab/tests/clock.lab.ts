/** The wall clock is set while a transaction runs: deadlines, locks and the record go by another. */
import assert from "node:assert/strict";
import { chownSync, mkdirSync } from "node:fs";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import writer from "@holdstill/writer-mysql";
import type { SnapshotSet } from "holdstill/plugin";
import { context } from "../../support/fixture/context.js";
import { HookedApp } from "../../support/fixture/hooked-app.js";
import { leavesNothing, writerOptions } from "../../support/server/mysql-snapshot.js";
import { mariadb, missingServer, MysqlServer } from "../../support/server/mysql-server.js";
import { onEnd } from "../../support/process/on-end.js";
import { tempDir } from "../../support/storage/temp.js";
import { unprivileged } from "../../support/process/unprivileged.js";
import { run } from "../support/volume-group.js";
import { fullTransaction } from "../../support/fixture/writer-transaction.js";

const set = (by: string): string => `date --set '${by}' > /dev/null`;

for (const [there, back] of [
  ["1 day", "-1 day"],
  ["-1 day", "1 day"],
] as const) {
  test(`a clock that is set by ${there} while an application is frozen moves no deadline, and no time of the record`, async (t) => {
    const app = new HookedApp(t);
    // Who sets the clock comes first; the next still has all of its time.
    app.hook("10-clock", { freeze: set(there), thaw: set(back) });
    app.hook("20-lock", { freeze: `sleep 0.5; ${app.takeLock()}` });
    const made = await app.run(["create", "writer:app", "--require", "application", "--json"], { qemu: app.hooks });
    assert.equal(made.exitCode, 0, made.stderr + made.stdout);
    const { timeline } = (made.json() as { set: SnapshotSet }).set;
    assert.ok(timeline.length > 0);
    for (const { from, to } of timeline) assert.ok(from <= to && to < 600_000, JSON.stringify(timeline));
    assert.ok(await app.runs());
  });

  test(`a hook that sets the clock by ${there} and hangs is ended at its limit`, async (t) => {
    const app = new HookedApp(t);
    onEnd(t, () => run("date", ["--set", back]));
    app.hook("10-clock", { freeze: `${set(there)}; sleep 1000`, thaw: ":" });
    const begun = performance.now();
    const { exitCode, stderr } = await app.run(["create", "writer:app"], { qemu: app.hooks }, {}, { freeze: "4s" });
    assert.equal(exitCode, 4, stderr);
    assert.match(stderr, /10-clock freeze did not end in \d\.\d s/);
    assert.ok(performance.now() - begun < 120_000);
    assert.ok(await app.runs());
  });
}

test(
  "a lock of MariaDB's, which waits by the wall clock, is waited for no longer when that is set back",
  { skip: missingServer(mariadb) },
  async (t) => {
    const server = new MysqlServer(mariadb, `${tempDir(t)}/data`, {
      "skip-grant-tables": 1,
      "innodb-log-file-size": "8M",
    });
    const { uid, gid } = unprivileged();
    mkdirSync(server.dataDir);
    run("chmod", ["755", `${server.dataDir}/..`]);
    chownSync(server.dataDir, uid, gid);
    onEnd(t, async () => await server.stop());
    await server.start();
    await server.query("CREATE DATABASE books; CREATE TABLE books.old (id int) ENGINE=MyISAM");
    const idler = await server.connect({ database: "books" });
    onEnd(t, () => idler.cut());
    await idler.query("LOCK TABLES old WRITE");

    const ctx = context(writerOptions(server, { lockSeconds: 5 }), { limitMs: 120_000 });
    const components = await writer.identify(ctx);
    const tx = fullTransaction({ id: "Set", cut: "atomic", components, sidecarDir: tempDir(t) });
    const begun = performance.now();
    const prepared = assert.rejects(async () => writer.prepare?.(tx, ctx), { code: "MYSQL_BLOCKED" });
    await sleep(2000);
    onEnd(t, () => run("date", ["--set", "1 hour"]));
    run("date", ["--set", "-1 hour"]);
    await prepared;
    const waited = performance.now() - begun;
    assert.ok(waited > 4000 && waited < 30_000, `${waited} ms`);
    await idler.query("UNLOCK TABLES");
    await writer.abort(tx, null, ctx);
    await server.query("INSERT INTO books.old VALUES (1)");
    await leavesNothing(server);
  },
);
