/** Back in place: what the hooks make of snapshots that were copied to where the originals were. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, existsSync, readdirSync, readlinkSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { SnapshotSet } from "holdstill/plugin";
import writer from "@holdstill/writer-postgres";
import { context } from "../../support/fixture/context.js";
import { verifyLedger } from "../../support/server/ledger.js";
import { onEnd } from "../../support/process/on-end.js";
import { missingPostgres } from "../../support/server/postgres-binaries.js";
import type { PostgresServer } from "../../support/server/postgres-server.js";
import {
  exposed,
  journalElsewhere,
  loadOn,
  quick,
  serverWithLedger,
  takeCrashSnapshot,
  takeSnapshot,
  writerOptions,
  type TestSnapshot,
} from "../../support/server/postgres-snapshot.js";
import { sampleSet } from "../../support/fixture/sample-set.js";
import { scratch } from "../../support/storage/scratch.js";
import { unprivileged } from "../../support/process/unprivileged.js";

const skip = missingPostgres();
type Taken = Omit<TestSnapshot, "sidecar" | "thaw">;

/** The record of a set with the snapshot's component. */
function setOf({ tx, sidecarDir }: Taken): SnapshotSet {
  const by = { instance: "pg", plugin: "writer-postgres", version: "1.0.0" };
  return {
    ...sampleSet(),
    components: tx.components.map((component) => ({
      writer: "pg",
      component,
      volumes: [],
      consistency: "application",
    })),
    writers: [{ by, policy: "required", state: "frozen", sidecar: { dir: sidecarDir, files: [] } }],
  };
}

/** Copies the snapshot over the originals. */
function putBack({ copies }: Taken): void {
  for (const { original, copy } of copies)
    execFileSync("sh", ["-euc", `rm -rf ${original}; cp -a -T ${copy} ${original}`]);
}

async function startAgain(t: TestContext, server: PostgresServer): Promise<PostgresServer> {
  const again = await server.startOn(server.dataDir, quick);
  onEnd(t, async () => await again.stop("immediate"));
  return again;
}

test(
  "a restore over a server that runs is refused, and one of a fuzzy copy starts in its old place",
  { skip },
  async (t) => {
    const server = await serverWithLedger(t, {});
    await journalElsewhere(t, server);
    const load = await loadOn(t, server);
    const ctx = context(writerOptions(server));
    const confirmed = load.acknowledged();
    const snapshot = await takeSnapshot(t, ctx);
    await load.stop();
    const set = setOf(snapshot);
    await assert.rejects(async () => writer.beforeRestore?.(set, ctx), { code: "PG_RUNNING", message: /process \d+/ });
    await assert.rejects(async () => writer.afterRestore?.(set, ctx), { code: "PG_RUNNING" });
    await server.halt("immediate");
    await writer.beforeRestore?.(set, ctx);
    exposed(snapshot);
    putBack(snapshot);
    await writer.afterRestore?.(set, ctx);
    const again = await startAgain(t, server);
    const client = await again.connect();
    onEnd(t, async () => await client.end());
    await verifyLedger(client, confirmed);
  },
);

// A server whose folder is gone still writes global/pg_control by the folder's path: into the data that was put there.
test("a restore to where a running server's folder was, renamed or deleted, is refused", { skip }, async (t) => {
  const server = await serverWithLedger(t, {});
  const ctx = context(writerOptions(server));
  const set = setOf(await takeSnapshot(t, ctx));
  const isRefused = { code: "PG_RUNNING", message: /process \d+/ };
  const aside = `${server.dataDir}.aside`;
  renameSync(server.dataDir, aside);
  await assert.rejects(async () => writer.beforeRestore?.(set, ctx), isRefused);
  renameSync(aside, server.dataDir);
  rmSync(server.dataDir, { recursive: true });
  await assert.rejects(async () => writer.beforeRestore?.(set, ctx), isRefused);
  await server.halt("immediate");
  await writer.beforeRestore?.(set, ctx);
});

test("a recovered snapshot has its links set to the originals' places again", { skip }, async (t) => {
  const far = scratch("far", unprivileged());
  onEnd(t, far.remove);
  const server = await serverWithLedger(t, {});
  await server.query(`CREATE TABLESPACE far LOCATION '${far.path}'`);
  const ctx = context(writerOptions(server));
  const snapshot = await takeCrashSnapshot(t, server, ctx);
  await writer.repair?.(snapshot.tx, exposed(snapshot), ctx);
  await server.halt("immediate");
  putBack(snapshot);
  await writer.afterRestore?.(setOf(snapshot), ctx);
  const links = path.join(server.dataDir, "pg_tblspc");
  const [oid = ""] = readdirSync(links);
  assert.equal(readlinkSync(path.join(links, oid)), far.path);
  await startAgain(t, server);
  const aimed = context({ ...ctx.options, restoreTo: { command: "true" } });
  await assert.rejects(async () => writer.afterRestore?.(setOf(snapshot), aimed), { code: "PG_RUNNING" });
});

for (const cut of ["atomic", "fuzzy"] as const) {
  test(`a pristine ${cut} snapshot and the archive lead to a chosen transaction`, { skip }, async (t) => {
    const archive = scratch("archive", unprivileged());
    onEnd(t, archive.remove);
    const config = { archive_mode: "on", archive_command: `cp %p ${archive.path}/%f` };
    const server = await serverWithLedger(t, { config });
    const ctx = context(writerOptions(server));
    const before = await loadOn(t, server);
    if (cut === "atomic") await before.stop();
    const snapshot = cut === "atomic" ? await takeCrashSnapshot(t, server, ctx) : await takeSnapshot(t, ctx);
    if (cut === "fuzzy") await before.stop();
    exposed(snapshot);

    const wanted = await loadOn(t, server);
    await wanted.stop();
    await server.query("SELECT pg_create_restore_point('here')");
    const unwanted = await loadOn(t, server);
    await unwanted.stop();
    await archived(server);
    await server.halt("immediate");
    putBack(snapshot);
    // As pgBackRest, and the steps of the README, leave them after an earlier recovery.
    const left =
      "recovery_target_xid = '3'\nRecovery_Target_Inclusive='off'\nrestore_command = 'false'\nwork_mem = '5MB'\n";
    appendFileSync(path.join(server.dataDir, "postgresql.auto.conf"), left);
    const restoreTo = { command: `cp ${archive.path}/%f %p`, name: "here" };
    await writer.afterRestore?.(setOf(snapshot), context({ ...ctx.options, restoreTo }));

    const again = await startAgain(t, server);
    for (let wait = 0; wait < 500 && existsSync(path.join(server.dataDir, "recovery.signal")); wait += 1)
      await sleep(20);
    const client = await again.connect();
    onEnd(t, async () => await client.end());
    await verifyLedger(client, wanted.acknowledged());
    const last = await again.query<{ seq: string }>("SELECT max(seq) AS seq FROM journal WHERE worker = 1");
    assert.equal(Number(last[0]?.seq), wanted.acknowledged()[0]?.seq, "nothing of what came after");
    assert.deepEqual(await again.query("SELECT timeline_id FROM pg_control_checkpoint()"), [{ timeline_id: 2 }]);
    assert.deepEqual(await again.query("SHOW work_mem"), [{ work_mem: "5MB" }], "other settings stay");
  });
}

test("a recovered snapshot is refused as the base for a point in time", { skip }, async (t) => {
  const server = await serverWithLedger(t, {});
  const ctx = context(writerOptions(server));
  const snapshot = await takeCrashSnapshot(t, server, ctx);
  await writer.repair?.(snapshot.tx, exposed(snapshot), ctx);
  await server.halt("immediate");
  putBack(snapshot);
  const aimed = context({ ...ctx.options, restoreTo: { command: "true", xid: "7" } });
  const hint = /fork/;
  await assert.rejects(async () => writer.afterRestore?.(setOf(snapshot), aimed), { code: "PG_SNAPSHOT", hint });
});

/** Waits until all WAL up to now is in the archive. */
async function archived(server: PostgresServer): Promise<void> {
  const [row] = await server.query<{ file: string }>("SELECT pg_walfile_name(pg_switch_wal()) AS file");
  for (let wait = 0; wait < 500; wait += 1) {
    const [is] = await server.query<{ last: string | null }>("SELECT last_archived_wal AS last FROM pg_stat_archiver");
    if ((is?.last ?? "") >= (row?.file ?? "")) return;
    await sleep(20);
  }
  assert.fail("the server did not archive its WAL");
}
