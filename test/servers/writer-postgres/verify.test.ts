/** Servers that verify starts on snapshots. */
import assert from "node:assert/strict";
import { chownSync, closeSync, existsSync, openSync, readFileSync, statSync, writeSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import type { Exposed, VerifyReport, WriterTransaction } from "holdstill/plugin";
import writer from "@holdstill/writer-postgres";
import { context, type TestContext as Called } from "../../support/fixture/context.js";
import { debian15, missingPostgres, versions } from "../../support/server/postgres-binaries.js";
import type { PostgresServer } from "../../support/server/postgres-server.js";
import {
  exposed,
  leavesNothing,
  loadOn,
  serverWithLedger,
  takeCrashSnapshot,
  takeSnapshot,
  writerOptions,
  type Options,
} from "../../support/server/postgres-snapshot.js";
import { isAlive } from "../../support/process/is-alive.js";

async function verify(tx: WriterTransaction, shown: Exposed, ctx: Called<Options>): Promise<VerifyReport> {
  const report = await writer.verify?.(tx, shown, ctx);
  assert.ok(report);
  return report;
}

/** No server on the snapshot. */
function leftNothing({ trees }: Exposed): void {
  const file = path.join(trees[0]?.path ?? "", "postmaster.pid");
  // One that was killed leaves it.
  if (existsSync(file)) assert.equal(isAlive(Number.parseInt(readFileSync(file, "utf8"), 10)), false);
}

for (const { name, bindir, skip } of versions()) {
  test(`${name}: a fuzzy copy is verified as it is, and again when it is recovered`, { skip }, async (t) => {
    const server = await serverWithLedger(t, { ...(bindir && { bindir }) });
    const load = await loadOn(t, server);
    const ctx = context(writerOptions(server, { repairMemoryMb: 24 }));
    const [asItIs, recovered] = [await takeSnapshot(t, ctx), await takeSnapshot(t, ctx)];
    await load.stop();
    const first = await verify(asItIs.tx, exposed(asItIs), ctx);
    assert.deepEqual([first.result, first.facts?.["was"], first.facts?.["checks"]], ["opens", "in use", ["write"]]);
    const shown = exposed(recovered);
    assert.equal((await writer.repair?.(recovered.tx, shown, ctx))?.ok, true);
    const second = await verify(recovered.tx, shown, ctx);
    assert.deepEqual([second.result, second.facts?.["was"]], ["opens", "shut down"]);
    const started = readFileSync(path.join(shown.trees[0]?.path ?? "", "postmaster.opts"), "utf8");
    assert.match(started, /"shared_buffers=24MB"/);
    leftNothing(shown);
    await leavesNothing(server);
  });
}

const skip = missingPostgres(debian15);

/** Flips bytes in the middle of the biggest file of a table or index. */
async function damage(server: PostgresServer, dataDir: string, relation: string, at: number): Promise<void> {
  const [row] = await server.query<{ file: string }>("SELECT pg_relation_filepath($1::regclass) AS file", [relation]);
  const file = path.join(dataDir, row?.file ?? "");
  assert.ok(statSync(file).size > at);
  const fd = openSync(file, "r+");
  writeSync(fd, Buffer.alloc(64, 0xab), 0, 64, at);
  closeSync(fd);
}

test("checksums and amcheck pass on a sound snapshot, and each tells of a damaged one", { skip }, async (t) => {
  const server = await serverWithLedger(t, { bindir: debian15 });
  const load = await loadOn(t, server);
  await load.stop();
  await server.query("CHECKPOINT");
  const ctx = context(writerOptions(server, { verify: ["checksums", "amcheck"] }));
  const sound = await takeCrashSnapshot(t, server, ctx);
  const report = await verify(sound.tx, exposed(sound), ctx);
  assert.deepEqual(report.facts?.["checks"], ["amcheck", "write", "checksums"], JSON.stringify(report));

  for (const one of ["checksums", "amcheck"] as const) {
    const snapshot = await takeCrashSnapshot(t, server, ctx);
    const shown = exposed(snapshot);
    await damage(server, shown.trees[0]?.path ?? "", "journal_pkey", 8192 + 4096);
    const found = await verify(snapshot.tx, shown, context({ ...ctx.options, verify: [one] }));
    assert.ok(found.result === "does-not-open");
    assert.match(
      found.reason,
      one === "checksums" ? /pg_checksums .*verification failed in file/ : /pg_amcheck .*invalid page/,
    );
    leftNothing(shown);
  }
});

test(
  "a wrong owner in pg_wal, which shows only when the server writes, is told",
  { skip: missingPostgres() },
  async (t) => {
    if (process.getuid?.() !== 0) return t.skip("giving a file away needs root");
    const server = await serverWithLedger(t, {});
    const ctx = context(writerOptions(server));
    const snapshot = await takeCrashSnapshot(t, server, ctx);
    const shown = exposed(snapshot);
    chownSync(path.join(shown.trees[0]?.path ?? "", "pg_wal"), 0, 0);
    const report = await verify(snapshot.tx, shown, ctx);
    assert.ok(report.result === "does-not-open");
    assert.match(report.reason, /pg_wal|session ended/);
    leftNothing(shown);
  },
);

test(
  "a role without rights and a call that is given up leave no server behind",
  { skip: missingPostgres() },
  async (t) => {
    const server = await serverWithLedger(t, {});
    await server.query("CREATE ROLE snap LOGIN REPLICATION; GRANT pg_read_all_settings TO snap");
    const ctx = context(writerOptions(server, { user: "snap" }));
    const sound = await takeCrashSnapshot(t, server, ctx);
    const begun = performance.now();
    assert.equal((await verify(sound.tx, exposed(sound), ctx)).result, "opens");
    const wholeMs = performance.now() - begun;
    // Whatever it is at when its time is over: a start, a write, a stop.
    for (const part of [0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9]) {
      const snapshot = await takeCrashSnapshot(t, server, ctx);
      const shown = exposed(snapshot);
      await verify(snapshot.tx, shown, context(ctx.options, { limitMs: Math.ceil(wholeMs * part) })).catch(() => {});
      leftNothing(shown);
    }
  },
);
