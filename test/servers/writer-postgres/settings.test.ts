/** Servers with settings of their own, whose snapshots are repaired and verified: nothing that can be queried is lost. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import writer from "@holdstill/writer-postgres";
import { context } from "../../support/fixture/context.js";
import { onEnd } from "../../support/process/on-end.js";
import { unprivileged } from "../../support/process/unprivileged.js";
import { debian15, missingPostgres, versions } from "../../support/server/postgres-binaries.js";
import {
  exposed,
  quick,
  serverWithLedger,
  takeCrashSnapshot,
  takeSnapshot,
  writerOptions,
} from "../../support/server/postgres-snapshot.js";
import { scratch } from "../../support/storage/scratch.js";

const unusual = {
  track_commit_timestamp: "on",
  wal_log_hints: "on",
  wal_level: "logical",
  wal_compression: "on",
  max_prepared_transactions: "7",
  max_replication_slots: "33",
  max_wal_senders: "34",
  max_worker_processes: "35",
  max_locks_per_transaction: "99",
  max_connections: "222",
};

/** One row for all that a query can see and that a repair could lose. */
const everything = `
  SELECT json_build_object(
    'accounts', (SELECT md5(string_agg(a::text, ',' ORDER BY id)) FROM account a),
    'stamps', (SELECT md5(string_agg(pg_xact_commit_timestamp(xmin)::text, ',' ORDER BY id)) FROM account WHERE id <= 5),
    'prepared', (SELECT json_agg(gid ORDER BY gid) FROM pg_prepared_xacts),
    'slots', (SELECT json_agg(slot_name ORDER BY slot_name) FROM pg_replication_slots WHERE slot_type = 'logical'),
    'origins', (SELECT json_agg(roname ORDER BY roname) FROM pg_replication_origin),
    'roles', (SELECT json_agg(rolname ORDER BY rolname) FROM pg_roles),
    'large', (SELECT md5(string_agg(data, '' ORDER BY loid, pageno)) FROM pg_largeobject)
  )::text AS all`;

for (const { name, bindir, skip } of versions()) {
  test(
    `${name}: unusual settings, and everything that can be queried is in the repaired snapshot`,
    { skip },
    async (t) => {
      const given = { ...(bindir && { bindir }), initdb: ["--wal-segsize=64"] };
      const server = await serverWithLedger(t, { ...given, config: { ...unusual } });
      await server.query("UPDATE account SET balance = balance WHERE id <= 5");
      await server.query("SELECT pg_create_logical_replication_slot('slot', 'pgoutput')");
      // A slot waits for transactions that have begun.
      await server.query("BEGIN; UPDATE account SET balance = balance + 1 WHERE id = 9; PREPARE TRANSACTION 'nine'");
      await server.query("SELECT pg_replication_origin_create('origin')");
      await server.query("SELECT lo_from_bytea(0, decode('00ff', 'hex'))");
      await server.query('CREATE ROLE "odd ` é" LOGIN');
      const ctx = context(writerOptions(server));
      const before = await server.query(everything);
      const snapshot = await takeCrashSnapshot(t, server, ctx);
      const shown = exposed(snapshot);
      const report = await writer.repair?.(snapshot.tx, shown, ctx);
      assert.equal(report?.ok, true);
      const dataDir = shown.trees[0]?.path ?? "";
      const second = await server.startOn(dataDir, { ...quick, ...unusual });
      onEnd(t, async () => await second.stop("immediate"));
      assert.deepEqual(await second.query(everything), before);
    },
  );
}

const skip = missingPostgres();

/** Each of them ended a session, or could have changed what it reads. */
const forClients = {
  statement_timeout: "1ms",
  lock_timeout: "1ms",
  idle_session_timeout: "1s",
  idle_in_transaction_session_timeout: "100ms",
  default_transaction_isolation: "serializable",
  default_transaction_read_only: "on",
  search_path: "nonsense",
  DateStyle: "SQL, DMY",
  IntervalStyle: "sql_standard",
  bytea_output: "escape",
  timezone: "Asia/Kathmandu",
  standard_conforming_strings: "off",
  client_min_messages: "debug5",
  work_mem: "64kB",
};

test("limits and formats that are set for clients do not apply to the writer", { skip }, async (t) => {
  const server = await serverWithLedger(t, {});
  const ctx = context(writerOptions(server));
  const all = Object.entries(forClients).map(([name, value]) => `ALTER ROLE postgres SET ${name} = '${value}'`);
  await server.query(all.join("; "));
  const snapshot = await takeSnapshot(t, ctx);
  const report = await writer.repair?.(snapshot.tx, exposed(snapshot), ctx);
  assert.deepEqual([report?.ok, report?.reason], [true, undefined]);
});

test(
  "nothing that users set in the database makes a verification fail, or find a good snapshot bad",
  { skip },
  async (t) => {
    const server = await serverWithLedger(t, {});
    await server.query("ALTER SYSTEM SET default_transaction_read_only = on");
    const client = await server.connect();
    onEnd(t, async () => await client.end());
    await client.query("ALTER DATABASE postgres SET default_transaction_read_only = on");
    await client.query("ALTER ROLE postgres SET default_transaction_read_only = on");
    await client.query('DROP SCHEMA public CASCADE; CREATE SCHEMA "shop.de"');
    await client.query(`
    CREATE FUNCTION "shop.de".never() RETURNS event_trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'pgaudit must be loaded via shared_preload_libraries'; END $$`);
    await client.query('CREATE EVENT TRIGGER never ON ddl_command_end EXECUTE FUNCTION "shop.de".never()');
    const ctx = context(writerOptions(server));
    const snapshot = await takeCrashSnapshot(t, server, ctx);
    const shown = exposed(snapshot);
    // As it would be on another machine.
    const file = path.join(shown.trees[0]?.path ?? "", "postgresql.auto.conf");
    appendFileSync(file, "unix_socket_group = 'nobody-has-this'\n");
    assert.equal((await writer.repair?.(snapshot.tx, shown, ctx))?.ok, true);
    const report = await writer.verify?.(snapshot.tx, shown, ctx);
    assert.equal(report?.result, "opens", JSON.stringify(report));
  },
);

test(
  "a verification that cannot be made is not damage: no programs, and checksums that the cluster does not have",
  { skip: missingPostgres(debian15) },
  async (t) => {
    const server = await serverWithLedger(t, { bindir: debian15 });
    const ctx = context(writerOptions(server, { verify: ["checksums"] }));
    const snapshot = await takeCrashSnapshot(t, server, ctx);
    const shown = exposed(snapshot);
    const missing = await writer.verify?.(snapshot.tx, shown, context({ ...ctx.options, binDir: "/nowhere" }));
    assert.ok(missing?.result === "not-examined", JSON.stringify(missing));
    assert.match(missing.reason, /\/nowhere\/postgres does not exist/);
    assert.equal((await writer.repair?.(snapshot.tx, shown, ctx))?.ok, true);
    const dataDir = shown.trees[0]?.path ?? "";
    execFileSync(path.join(server.bindir, "pg_checksums"), ["--disable", "--no-sync", "-D", dataDir], {
      ...unprivileged(),
      cwd: "/",
    });
    const unasked = await writer.verify?.(snapshot.tx, shown, ctx);
    assert.ok(unasked?.result === "not-examined", JSON.stringify(unasked));
    assert.match(unasked.reason, /checksums are not enabled/);
  },
);

test("a tablespace that is a folder in the data directory is repaired and verified", { skip }, async (t) => {
  const server = await serverWithLedger(t, {});
  const client = await server.connect();
  onEnd(t, async () => await client.end());
  await client.query("SET allow_in_place_tablespaces = on");
  await client.query("CREATE TABLESPACE inside LOCATION ''");
  await client.query("CREATE TABLE kept TABLESPACE inside AS SELECT 7 AS n");
  const ctx = context(writerOptions(server));
  const snapshot = await takeCrashSnapshot(t, server, ctx);
  const shown = exposed(snapshot);
  assert.equal((await writer.repair?.(snapshot.tx, shown, ctx))?.ok, true);
  const second = await server.startOn(shown.trees[0]?.path ?? "", quick);
  onEnd(t, async () => await second.stop("immediate"));
  assert.deepEqual(await second.query("SELECT n FROM kept"), [{ n: 7 }]);
});

test("links that a server on the snapshot does not use are left alone", { skip }, async (t) => {
  const server = await serverWithLedger(t, {});
  const elsewhere = scratch("log", unprivileged());
  onEnd(t, elsewhere.remove);
  const ctx = context(writerOptions(server));
  const snapshot = await takeSnapshot(t, ctx);
  const shown = exposed(snapshot);
  const dataDir = shown.trees[0]?.path ?? "";
  writeFileSync(path.join(elsewhere.path, "server.log"), "as it was");
  rmSync(path.join(dataDir, "pg_stat_tmp"), { recursive: true });
  for (const name of ["pg_log", "log", "pg_stat_tmp"]) symlinkSync(elsewhere.path, path.join(dataDir, name));
  assert.equal((await writer.repair?.(snapshot.tx, shown, ctx))?.ok, true);
  assert.equal((await writer.verify?.(snapshot.tx, shown, ctx))?.result, "opens");
});

test("a snapshot of wal_level minimal tolerates no copy that is made while files change", { skip }, async (t) => {
  const server = await serverWithLedger(t, { config: { wal_level: "minimal", max_wal_senders: "0" } });
  const ctx = context(writerOptions(server));
  assert.equal((await writer.identify(ctx))[0]?.tolerates, "point-in-time");
  const snapshot = await takeCrashSnapshot(t, server, ctx);
  assert.equal((await writer.repair?.(snapshot.tx, exposed(snapshot), ctx))?.ok, true);
});

test("a long spread checkpoint is in the plan, with the limit that it needs", { skip }, async (t) => {
  const config = { checkpoint_timeout: "40min", checkpoint_completion_target: "0.9" };
  const server = await serverWithLedger(t, { config });
  const [component] = await writer.identify(context(writerOptions(server)));
  assert.match(component?.method?.fuzzy ?? "", /backup mode after a checkpoint of up to 36 min, limits\.prepare: 54m/);
  const [fast] = await writer.identify(context(writerOptions(server, { checkpoint: "fast" })));
  assert.equal(fast?.method?.fuzzy, "no lock, backup mode");
});
