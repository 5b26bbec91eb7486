/** Snapshots of real servers, recovered so that they open at once. */
import assert from "node:assert/strict";
import { readlinkSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import type { Exposed, Report, WriterTransaction } from "holdstill/plugin";
import writer from "@holdstill/writer-postgres";
import { readControl } from "@holdstill/writer-postgres/dist/control.js";
import { context, type TestContext as Called } from "../../support/fixture/context.js";
import { verifyLedger, type Acknowledged } from "../../support/server/ledger.js";
import { LedgerLoad } from "../../support/server/load.js";
import { onEnd } from "../../support/process/on-end.js";
import { missingPostgres, versions } from "../../support/server/postgres-binaries.js";
import type { PostgresServer } from "../../support/server/postgres-server.js";
import {
  exposed,
  leavesNothing,
  loadOn,
  quick,
  serverWithLedger,
  takeCrashSnapshot,
  takeSnapshot,
  writerOptions,
  type Options,
} from "../../support/server/postgres-snapshot.js";
import { scratch } from "../../support/storage/scratch.js";
import { portrait } from "../../support/storage/tree.js";
import { unprivileged } from "../../support/process/unprivileged.js";

interface Spread {
  server: PostgresServer;
  load: LedgerLoad;
  ctx: Called<Options>;
  /** All folders of the cluster. */
  originals: string[];
}

/** A server under load whose WAL and journal lie elsewhere. */
async function spreadServer(t: TestContext, bindir?: string): Promise<Spread> {
  const folders = ["wal", "far"].map((name) => scratch(name, unprivileged()));
  for (const folder of folders) onEnd(t, folder.remove);
  const [wal = "", far = ""] = folders.map((folder) => folder.path);
  const walDir = path.join(wal, "wal");
  const server = await serverWithLedger(t, { ...(bindir && { bindir }), initdb: [`--waldir=${walDir}`] });
  await server.query(`CREATE TABLESPACE far LOCATION '${far}'`);
  await server.query("ALTER TABLE journal SET TABLESPACE far");
  const load = await loadOn(t, server);
  return { server, load, ctx: context(writerOptions(server)), originals: [server.dataDir, walDir, far] };
}

async function recover(tx: WriterTransaction, shown: Exposed, ctx: Called<Options>): Promise<Report> {
  const report = await writer.repair?.(tx, shown, ctx);
  assert.ok(report);
  return report;
}

/** A server starts on the recovered snapshot without any redo, its books are right, and it takes more. */
async function opensAtOnce(
  t: TestContext,
  server: PostgresServer,
  shown: Exposed,
  confirmed: Acknowledged[],
): Promise<void> {
  const dataDir = shown.trees[0]?.path ?? "";
  assert.equal(readControl(path.join(dataDir, "global/pg_control")).state, "shut down");
  const second = await server.startOn(dataDir, quick);
  onEnd(t, async () => await second.stop("immediate"));
  assert.match(second.log(), /database system was shut down at/);
  assert.doesNotMatch(second.log(), /redo/);
  const client = await second.connect();
  onEnd(t, async () => await client.end());
  await verifyLedger(client, confirmed);
  await client.query("SELECT pg_switch_wal()");
  const load = new LedgerLoad(async () => await second.connect());
  onEnd(t, async () => await load[Symbol.asyncDispose]());
  await load.start(2);
  await load.advance(20);
  await load.stop();
  await client.query("CHECKPOINT");
  await verifyLedger(client, load.acknowledged());
}

for (const { name, bindir, skip } of versions()) {
  test(
    `${name}: a crash snapshot is recovered and opens at once, and the originals are untouched`,
    { skip },
    async (t) => {
      const { server, load, ctx, originals } = await spreadServer(t, bindir);
      const confirmed = load.acknowledged();
      await load.stop();
      const snapshot = await takeCrashSnapshot(t, server, ctx);
      const shown = exposed(snapshot);
      assert.deepEqual(
        snapshot.copies.map(({ original }) => original),
        originals,
      );
      const [dataDir = ""] = snapshot.copies.map(({ copy }) => copy);
      assert.equal(
        readlinkSync(path.join(dataDir, "pg_wal")),
        originals[1],
        "the danger: the link leads to the live WAL",
      );
      // Nobody writes to the originals now but whom this test is to catch.
      await server.halt("immediate");
      const before = originals.map(portrait);

      const report = await recover(snapshot.tx, shown, ctx);
      assert.equal(report.ok, true);
      assert.ok(Number(report.facts?.["redoBytes"]) > 0, JSON.stringify(report));
      assert.match(String(report.facts?.["endLsn"]), /^[0-9A-F]+\/[0-9A-F]+$/);
      const again = await recover(snapshot.tx, shown, ctx);
      assert.deepEqual([again.ok, again.facts?.["redoBytes"]], [true, 0]);
      await opensAtOnce(t, server, shown, confirmed);
      assert.deepEqual(originals.map(portrait), before);

      await server.start();
      await leavesNothing(server);
    },
  );

  test(`${name}: a fuzzy copy is recovered with its sidecar, and the originals are untouched`, { skip }, async (t) => {
    const { server, load, ctx, originals } = await spreadServer(t, bindir);
    const confirmed = load.acknowledged();
    const snapshot = await takeSnapshot(t, ctx);
    await load.stop();
    const shown = exposed(snapshot);
    await server.halt("immediate");
    const before = originals.map(portrait);

    const report = await recover(snapshot.tx, shown, ctx);
    assert.equal(report.ok, true);
    // Of the repaired copy: what the sidecar has of WAL is for the other one.
    assert.match(String(report.facts?.["howToRestore"]), /Nothing of the sidecar is needed/);
    await opensAtOnce(t, server, shown, confirmed);
    assert.deepEqual(originals.map(portrait), before);
  });
}

const skip = missingPostgres();

test(
  "the server that repairs has memory for the pages that the WAL changes, and what is kept for reuse does not count",
  { skip },
  async (t) => {
    const server = await serverWithLedger(t, { config: { max_wal_size: "4GB" } });
    const ctx = context(writerOptions(server));
    await server.query("CREATE TABLE filled AS SELECT n, repeat('x', 500) FROM generate_series(1, 250000) AS n");
    const full = await takeCrashSnapshot(t, server, ctx);
    await server.query("CHECKPOINT");
    const empty = await takeCrashSnapshot(t, server, ctx);
    const [much, little] = [
      await recover(full.tx, exposed(full), ctx),
      await recover(empty.tx, exposed(empty), ctx),
    ].map(({ facts }) => ({
      memoryMb: Number(facts?.["memoryMb"] ?? 0),
      redoMb: Number(facts?.["redoBytes"]) / 2 ** 20,
    }));
    assert.ok(much !== undefined && little !== undefined);
    assert.ok(much.redoMb > 100, JSON.stringify(much));
    assert.ok(much.memoryMb > 1.4 * much.redoMb && much.memoryMb < 1.5 * much.redoMb + 49, JSON.stringify(much));
    assert.ok(little.memoryMb <= 128, JSON.stringify(little));
  },
);

test("a snapshot of a standby is recovered as a server of its own", { skip }, async (t) => {
  const { server, load, ctx } = await spreadServer(t);
  const confirmed = load.acknowledged();
  await load.stop();
  const snapshot = await takeCrashSnapshot(t, server, ctx);
  const shown = exposed(snapshot);
  writeFileSync(path.join(shown.trees[0]?.path ?? "", "standby.signal"), "");
  assert.equal((await recover(snapshot.tx, shown, ctx)).ok, true);
  await opensAtOnce(t, server, shown, confirmed);
});

test(
  "prepared transactions, slots and subscriptions of the captured server do not hinder recovery",
  { skip },
  async (t) => {
    const config = {
      max_prepared_transactions: 12,
      max_replication_slots: 30,
      wal_level: "logical",
      max_wal_senders: 40,
    };
    const server = await serverWithLedger(t, { config });
    for (let number = 1; number <= 20; number += 1) {
      await server.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [`slot_${number}`]);
    }
    for (let number = 1; number <= 12; number += 1) {
      await server.query(
        `BEGIN; UPDATE account SET balance = 0 WHERE id = ${number}; PREPARE TRANSACTION 'p${number}'`,
      );
    }
    const ctx = context(writerOptions(server));
    const snapshot = await takeCrashSnapshot(t, server, ctx);
    const shown = exposed(snapshot);
    const dataDir = shown.trees[0]?.path ?? "";
    const further = { shared_preload_libraries: "missing", synchronous_standby_names: "nobody", archive_mode: "on" };
    const lines = Object.entries(further).map(([name, value]) => `${name} = '${value}'\n`);
    writeFileSync(path.join(dataDir, "postgresql.auto.conf"), lines.join(""));
    assert.equal((await recover(snapshot.tx, shown, ctx)).ok, true);
    writeFileSync(path.join(dataDir, "postgresql.auto.conf"), "");
    const second = await server.startOn(dataDir, { ...quick, ...config });
    onEnd(t, async () => await second.stop("immediate"));
    assert.equal((await second.query("SELECT 1 FROM pg_prepared_xacts")).length, 12);
  },
);

test("a link that may lead out of the snapshot is refused before anything is changed", { skip }, async (t) => {
  const { server, load, ctx } = await spreadServer(t);
  await load.stop();
  const snapshot = await takeCrashSnapshot(t, server, ctx);
  const shown = exposed(snapshot);
  const dataDir = shown.trees[0]?.path ?? "";
  const cases: [string, RegExp][] = [
    ["pg_tblspc/99999", /tablespace with OID 99999 was made after the snapshot was planned/],
    ["base/1/99999", /base\/1\/99999 is a symbolic link/],
    ["pg_commit_ts/99999", /pg_commit_ts\/99999 is a symbolic link/],
  ];
  for (const [link, message] of cases) {
    symlinkSync(server.dataDir, path.join(dataDir, link));
    const before = portrait(dataDir);
    await assert.rejects(recover(snapshot.tx, shown, ctx), { code: "PG_SNAPSHOT", message });
    assert.equal(portrait(dataDir), before);
    unlinkSync(path.join(dataDir, link));
  }
  const without = { ...shown, trees: shown.trees.slice(0, 2) };
  await assert.rejects(recover(snapshot.tx, without, ctx), { code: "PG_SNAPSHOT", message: /is not in the snapshot/ });
});

test("the wrong snapshot, the wrong programs and a snapshot beyond repair have codes", { skip }, async (t) => {
  const { server, load, ctx } = await spreadServer(t);
  await load.stop();
  const snapshot = await takeCrashSnapshot(t, server, ctx);
  const shown = exposed(snapshot);
  await assert.rejects(recover(snapshot.tx, { ...shown, readOnly: true }, ctx), { code: "PG_SNAPSHOT" });
  const nowhere = context({ ...ctx.options, binDir: "/nowhere" });
  await assert.rejects(recover(snapshot.tx, shown, nowhere), { code: "PG_PROGRAMS", message: /\/nowhere\/postgres/ });
  const other = await serverWithLedger(t, {});
  const foreign = await takeCrashSnapshot(t, other, context(writerOptions(other)));
  await assert.rejects(
    recover(foreign.tx, { ...shown, trees: [{ original: other.dataDir, path: shown.trees[0]?.path ?? "" }] }, ctx),
    {
      code: "PG_SNAPSHOT",
      message: /another cluster/,
    },
  );
  const dataDir = shown.trees[0]?.path ?? "";
  writeFileSync(path.join(dataDir, "PG_VERSION"), "12\n");
  await assert.rejects(recover(snapshot.tx, shown, ctx), { code: "PG_PROGRAMS", message: /PostgreSQL 12/ });
  writeFileSync(path.join(dataDir, "PG_VERSION"), "17\n");
  rmSync(path.join(dataDir, "global/pg_filenode.map"));
  await assert.rejects(recover(snapshot.tx, shown, ctx), {
    code: "PG_RECOVERY",
    message: /FATAL: .*pg_filenode.map/,
    hint: /README/,
  });
});
