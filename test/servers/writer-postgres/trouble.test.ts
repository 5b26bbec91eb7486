/** A server that is busy, full or ill: what the writer reports, how long it takes, and that the server is unharmed. */
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import writer from "@holdstill/writer-postgres";
import { context } from "../../support/fixture/context.js";
import { onEnd } from "../../support/process/on-end.js";
import { missingPostgres } from "../../support/server/postgres-binaries.js";
import type { PostgresServer } from "../../support/server/postgres-server.js";
import {
  assemble,
  begin,
  leavesNothing,
  loadOn,
  quick,
  serverWithLedger,
  takeSnapshot,
  writerOptions,
} from "../../support/server/postgres-snapshot.js";

const skip = missingPostgres();

/** A client of another program, ended with the test. */
async function client(t: TestContext, server: PostgresServer, sql: string): Promise<Client> {
  const one = await server.connect();
  onEnd(t, async () => await one.end());
  await one.query(sql);
  return one;
}

test("a long query, an idle transaction and DDL under way hold nothing up, and go on", { skip }, async (t) => {
  const server = await serverWithLedger(t, {});
  const load = await loadOn(t, server);
  const idle = await client(t, server, "BEGIN; UPDATE account SET balance = balance WHERE id = 200");
  const ddl = await client(t, server, "CREATE TABLE other (id int); BEGIN; ALTER TABLE other ADD COLUMN name text");
  const long = await client(t, server, "SELECT 1");
  const answer = long.query("SELECT pg_sleep(600)").catch((error: unknown) => error);
  const snapshot = await takeSnapshot(t, context(writerOptions(server)));
  assert.equal(snapshot.thaw.uninterrupted, true, snapshot.thaw.reason);
  await idle.query("COMMIT");
  await ddl.query("COMMIT");
  const asleep =
    "SELECT pid, pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)' AND state = 'active' AND pid <> pg_backend_pid()";
  assert.equal((await server.query(asleep)).length, 1, "the query runs still");
  assert.match(String(await answer), /canceling statement due to user request/);
  await load.stop();
  await leavesNothing(server);
});

test("whoever locks the catalogue is waited for a few seconds, and told of", { skip }, async (t) => {
  const server = await serverWithLedger(t, {});
  const locker = await client(t, server, "BEGIN; LOCK TABLE pg_catalog.pg_tablespace IN ACCESS EXCLUSIVE MODE");
  const ctx = context(writerOptions(server));
  await assert.rejects(writer.identify(ctx), { code: "PG_BLOCKED", message: /lock timeout/, hint: /pg_stat_activity/ });
  await locker.query("COMMIT");
  await writer.identify(ctx);
  await leavesNothing(server);
});

test("no room for another connection is told with what to do", { skip }, async (t) => {
  const server = await serverWithLedger(t, {});
  await server.query("CREATE ROLE snap LOGIN REPLICATION CONNECTION LIMIT 1; GRANT pg_read_all_settings TO snap");
  await server.query("GRANT EXECUTE ON FUNCTION pg_backup_start(text, boolean), pg_backup_stop(boolean) TO snap");
  const ctx = context(writerOptions(server, { user: "snap" }));
  const other = await server.connect({ user: "snap" });
  await assert.rejects(writer.identify(ctx), { code: "PG_CONNECT", message: /too many connections/, hint: /LIMIT/ });
  await other.end();
  const snapshot = await takeSnapshot(t, ctx);
  assert.equal(snapshot.thaw.uninterrupted, true, "one connection is enough for a snapshot");
  await leavesNothing(server);
});

test("a right that is revoked while frozen is told by thaw, and backup mode ends all the same", { skip }, async (t) => {
  const server = await serverWithLedger(t, {});
  await server.query("CREATE ROLE snap LOGIN REPLICATION; GRANT pg_read_all_settings TO snap");
  const functions = "FUNCTION pg_backup_start(text, boolean), pg_backup_stop(boolean)";
  await server.query(`GRANT EXECUTE ON ${functions} TO snap`);
  const ctx = context(writerOptions(server, { user: "snap" }));
  const tx = await begin(t, ctx);
  await writer.prepare?.(tx, ctx);
  const token = await writer.freeze(tx, ctx);
  await server.query(`REVOKE EXECUTE ON ${functions} FROM snap`);
  const thaw = await writer.thaw(tx, token, ctx);
  assert.equal(thaw.uninterrupted, false);
  assert.match(thaw.reason ?? "", /permission denied for function pg_backup_stop/);
  await writer.abort(tx, token, ctx);
  await leavesNothing(server);
});

test("an archive command that fails is warned of, and delays no client", { skip }, async (t) => {
  const server = await serverWithLedger(t, { config: { archive_mode: "on", archive_command: "false" } });
  await server.query("SELECT pg_switch_wal()");
  const failed = "SELECT 1 FROM pg_stat_archiver WHERE failed_count > 0";
  for (let wait = 0; wait < 500 && (await server.query(failed)).length === 0; wait += 1) await sleep(20);
  const ctx = context(writerOptions(server));
  const snapshot = await takeSnapshot(t, ctx);
  assert.match(ctx.complaints.join("\n"), /cannot archive its WAL \(0000/);
  assert.equal(snapshot.thaw.uninterrupted, true);
  const facts = snapshot.tx.components[0]?.facts?.["archiver"] as { mode: string; failing: boolean };
  assert.deepEqual([facts.mode, facts.failing], ["on", true]);
  const second = await server.startOn(assemble(snapshot), quick);
  onEnd(t, async () => await second.stop("immediate"));
  await leavesNothing(server);
});

test(
  "a tablespace that is made after the plan fails prepare, because no snapshot would have it",
  { skip },
  async (t) => {
    const server = await serverWithLedger(t, {});
    const ctx = context(writerOptions(server));
    const tx = await begin(t, ctx);
    const made = await begin(t, ctx);
    await server.query(`CREATE TABLESPACE late LOCATION '${await folderFor(server, made.sidecarDir)}'`);
    await assert.rejects(async () => writer.prepare?.(tx, ctx), { code: "PG_SNAPSHOT", message: /is not captured/ });
    await leavesNothing(server);
    await server.query("DROP TABLESPACE late");
  },
);

test(
  "a tablespace that is made while a copy is taken fails seal, because redo would lead to the original",
  { skip },
  async (t) => {
    const server = await serverWithLedger(t, {});
    const ctx = context(writerOptions(server));
    const tx = await begin(t, ctx);
    await writer.prepare?.(tx, ctx);
    const token = await writer.freeze(tx, ctx);
    await server.query(`CREATE TABLESPACE late LOCATION '${await folderFor(server, tx.sidecarDir)}'`);
    assert.equal((await writer.thaw(tx, token, ctx)).uninterrupted, true);
    await assert.rejects(async () => writer.seal?.(tx, ctx), { code: "PG_SNAPSHOT", message: /made meanwhile/ });
    await writer.abort(tx, token, ctx);
    await leavesNothing(server);
    await server.query("DROP TABLESPACE late");
  },
);

async function folderFor(server: PostgresServer, beside: string): Promise<string> {
  const folder = `${beside}-late`;
  await server.query(`COPY (SELECT 1) TO PROGRAM 'cat >/dev/null && mkdir ${folder}'`);
  return folder;
}

test(
  "before an atomic cut a spread checkpoint that takes too long is given up within the limit",
  { skip },
  async (t) => {
    const slow = { checkpoint_completion_target: "0.9", checkpoint_timeout: "1h" };
    const server = await serverWithLedger(t, { config: slow });
    await server.query("CREATE TABLE dirty AS SELECT repeat('x', 1000) AS x FROM generate_series(1, 20000)");
    const redo = async (): Promise<unknown> => await server.query("SELECT redo_lsn FROM pg_control_checkpoint()");
    const before = await redo();
    const little = context(writerOptions(server));
    const without = await begin(t, little, "atomic");
    await writer.prepare?.(without, little);
    assert.deepEqual(
      little.complaints.filter((line) => line.includes("checkpoint")),
      [],
      "so little WAL is worth no checkpoint",
    );
    assert.deepEqual(await redo(), before);
    await writer.abort(without, null, little);

    const much = context(writerOptions(server, { checkpointAboveBytes: 1024 }), { limitMs: 3_000 });
    const tx = await begin(t, much, "atomic");
    await writer.prepare?.(tx, much);
    assert.match(
      much.complaints.join("\n"),
      /no checkpoint before the cut: canceling statement due to statement timeout/,
    );
    const token = await writer.freeze(tx, context(much.options));
    assert.equal((await writer.thaw(tx, token, context(much.options))).uninterrupted, true);
    const sidecar = await writer.seal?.(tx, context(much.options));
    const { lsn, lsnAfter } = sidecar?.facts ?? {};
    assert.ok(typeof lsn === "string" && typeof lsnAfter === "string");
    await leavesNothing(server);
  },
);

test("a server that restarts within an atomic cut was not held", { skip }, async (t) => {
  const server = await serverWithLedger(t, {});
  const ctx = context(writerOptions(server));
  const tx = await begin(t, ctx, "atomic");
  await writer.prepare?.(tx, ctx);
  const token = await writer.freeze(tx, ctx);
  await server.halt("immediate");
  await server.start();
  const thaw = await writer.thaw(tx, token, ctx);
  assert.equal(thaw.uninterrupted, false);
  await writer.abort(tx, token, ctx);
  await leavesNothing(server);
});
