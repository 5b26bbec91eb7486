/** A repaired snapshot that goes on beside, or after, the captured server: their WAL must not be mixed up in an archive. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { SnapshotSet } from "holdstill/plugin";
import writer from "@holdstill/writer-postgres";
import { context } from "../../support/fixture/context.js";
import { sampleSet } from "../../support/fixture/sample-set.js";
import { onEnd } from "../../support/process/on-end.js";
import { unprivileged } from "../../support/process/unprivileged.js";
import { missingPostgres, versions } from "../../support/server/postgres-binaries.js";
import type { PostgresServer } from "../../support/server/postgres-server.js";
import {
  exposed,
  loadOn,
  quick,
  serverWithLedger,
  takeCrashSnapshot,
  writerOptions,
  type TestSnapshot,
} from "../../support/server/postgres-snapshot.js";
import { scratch } from "../../support/storage/scratch.js";
import { tempDir } from "../../support/storage/temp.js";

type Taken = Omit<TestSnapshot, "sidecar" | "thaw">;

function setOf({ tx, sidecarDir }: Taken): SnapshotSet {
  const by = { instance: "pg", plugin: "writer-postgres", version: "1.0.0" };
  const consistency = "application" as const;
  return {
    ...sampleSet(),
    components: tx.components.map((component) => ({ writer: "pg", component, volumes: [], consistency })),
    writers: [{ by, policy: "required", state: "frozen", sidecar: { dir: sidecarDir, files: [] } }],
  };
}

/** Archives so many segments more. */
async function archive(server: PostgresServer, segments: number): Promise<void> {
  for (let count = 0; count < segments; count += 1) {
    await server.query("CREATE TABLE IF NOT EXISTS filler (n int)");
    await server.query("INSERT INTO filler SELECT generate_series(1, 100)");
    const [row] = await server.query<{ file: string }>("SELECT pg_walfile_name(pg_switch_wal()) AS file");
    for (let wait = 0; wait < 1000; wait += 1) {
      const sql = "SELECT last_archived_wal >= $1 AS done FROM pg_stat_archiver";
      const [is] = await server.query<{ done: boolean | null }>(sql, [row?.file ?? ""]);
      if (is?.done === true) break;
      assert.ok(wait < 999, "the server does not archive");
      await sleep(20);
    }
  }
}

function contentsOf(folder: string): Record<string, string> {
  const names = readdirSync(folder).toSorted();
  return Object.fromEntries(names.map((name) => [name, readFileSync(path.join(folder, name)).toString("base64")]));
}

async function startAgain(
  t: TestContext,
  server: PostgresServer,
  config: Record<string, string>,
): Promise<PostgresServer> {
  const again = await server.startOn(server.dataDir, { ...quick, ...config });
  onEnd(t, async () => await again.stop("immediate"));
  return again;
}

const archives = {
  "that replaces": (folder: string) => `cp %p ${folder}/%f`,
  "that refuses a second file of a name": (folder: string) => `test ! -f ${folder}/%f && cp %p ${folder}/%f`,
};

for (const [kind, command] of Object.entries(archives)) {
  test(
    `a repaired snapshot is restored twice, and an archive ${kind} keeps what it has and takes more`,
    { skip: missingPostgres() },
    async (t) => {
      const folder = scratch("archive", unprivileged());
      onEnd(t, folder.remove);
      const config = { archive_mode: "on", archive_command: command(folder.path) };
      const server = await serverWithLedger(t, { config });
      await archive(server, 1);
      const load = await loadOn(t, server);
      // It is the signal of all calls here.
      const ctx = context(writerOptions(server), { dataDir: tempDir(t), limitMs: 600_000 });
      await load.stop();
      const snapshot = await takeCrashSnapshot(t, server, ctx);
      assert.equal((await writer.repair?.(snapshot.tx, exposed(snapshot), ctx))?.ok, true);
      await archive(server, 3);
      await server.halt("immediate");
      const set = setOf(snapshot);
      for (const timeline of [2, 3]) {
        const before = contentsOf(folder.path);
        await writer.beforeRestore?.(set, ctx);
        for (const { original, copy } of snapshot.copies) {
          rmSync(original, { recursive: true });
          execFileSync("cp", ["-a", "-T", copy, original]);
        }
        await writer.afterRestore?.(set, ctx);
        assert.equal(existsSync(path.join(server.dataDir, "recovery.signal")), false);
        const again = await startAgain(t, server, config);
        const sql = "SELECT timeline_id AS timeline FROM pg_control_checkpoint()";
        assert.deepEqual(await again.query(sql), [{ timeline }]);
        await archive(again, 2);
        const after = contentsOf(folder.path);
        for (const [name, content] of Object.entries(before)) assert.ok(after[name] === content, `${name} changed`);
        const fresh = Object.keys(after).filter((name) => !(name in before));
        const own = `0000000${timeline}`;
        assert.ok(fresh.includes(`${own}.history`), fresh.join(" "));
        assert.deepEqual(
          fresh.filter((name) => !name.startsWith(own)),
          [],
        );
        const failed = await again.query<{ failed: string | null }>(
          "SELECT last_failed_wal AS failed FROM pg_stat_archiver",
        );
        assert.equal(failed[0]?.failed, null);
        await again.stop("fast");
      }
    },
  );
}

for (const { name, bindir, skip } of versions()) {
  test(
    `${name}: a repaired snapshot is on a timeline of its own, and has no WAL that its server does not need`,
    { skip },
    async (t) => {
      const server = await serverWithLedger(t, { ...(bindir && { bindir }) });
      for (let count = 0; count < 6; count += 1) {
        await server.query("SELECT pg_switch_wal()");
        await server.query("CHECKPOINT");
      }
      const ctx = context(writerOptions(server));
      const snapshot = await takeCrashSnapshot(t, server, ctx);
      const shown = exposed(snapshot);
      assert.equal((await writer.repair?.(snapshot.tx, shown, ctx))?.ok, true);
      const wal = readdirSync(path.join(shown.trees[0]?.path ?? "", "pg_wal"));
      assert.equal(wal.filter((file) => /^[0-9A-F]{24}$/.test(file)).length, 1, wal.join(" "));
      const second = await server.startOn(shown.trees[0]?.path ?? "", quick);
      onEnd(t, async () => await second.stop("immediate"));
      // As a copy from a backup is started, without afterRestore.
      assert.deepEqual(await second.query("SELECT timeline_id FROM pg_control_checkpoint()"), [{ timeline_id: 2 }]);
      await second.query("SELECT pg_switch_wal()");
    },
  );
}
