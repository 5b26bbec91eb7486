import assert from "node:assert/strict";
import { existsSync, lstatSync, readFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { context } from "../../support/fixture/context.js";
import { verifyLedger, type Acknowledged } from "../../support/server/ledger.js";
import { LedgerLoad } from "../../support/server/load.js";
import { onEnd } from "../../support/process/on-end.js";
import { versions } from "../../support/server/postgres-binaries.js";
import { PostgresNotReady, type PostgresServer } from "../../support/server/postgres-server.js";
import {
  assemble,
  journalElsewhere,
  leavesNothing,
  loadOn,
  quick,
  serverWithLedger,
  takeSnapshot,
  writerOptions,
} from "../../support/server/postgres-snapshot.js";
import { scratch } from "../../support/storage/scratch.js";
import { unprivileged } from "../../support/process/unprivileged.js";

/** Starts a second server on the restored directory, checks the books, and lets it write past the end of its WAL file. */
async function opens(
  t: TestContext,
  server: PostgresServer,
  dataDir: string,
  confirmed: Acknowledged[],
): Promise<number> {
  const second = await server.startOn(dataDir, quick);
  onEnd(t, async () => await second.stop("immediate"));
  const client = await second.connect();
  onEnd(t, async () => await client.end());
  const { rowsChecked } = await verifyLedger(client, confirmed);
  await client.query("SELECT pg_switch_wal()");
  const load = new LedgerLoad(async () => await second.connect());
  onEnd(t, async () => await load[Symbol.asyncDispose]());
  await load.start(2);
  await load.advance(20);
  await load.stop();
  await client.query("CHECKPOINT");
  await verifyLedger(client, load.acknowledged());
  return rowsChecked;
}

const littleWal = { max_wal_size: "32MB", min_wal_size: "32MB" };

/** While a copy is made: each hundred files much is written, and then a checkpoint makes older WAL dispensable. */
function pressure(server: PostgresServer, load: LedgerLoad): () => Promise<void> {
  let files = 0;
  return async () => {
    files += 1;
    if (files % 100 !== 0) return;
    await load.advance(500);
    await server.query("SELECT pg_switch_wal()");
    await server.query("CHECKPOINT");
  };
}

for (const { name, bindir, skip } of versions()) {
  const version = { name, with: bindir === undefined ? {} : { bindir } };

  test(
    `${version.name}: a fuzzy copy under load opens with all that was confirmed before the freeze`,
    { skip },
    async (t) => {
      const server = await serverWithLedger(t, version.with);
      const load = await loadOn(t, server);
      const ctx = context(writerOptions(server));
      const confirmed = load.acknowledged();
      const snapshot = await takeSnapshot(t, ctx);
      await load.stop();

      assert.equal(snapshot.thaw.uninterrupted, true);
      assert.deepEqual(ctx.complaints, [
        "fsync or full_page_writes is off: a crash, and so a snapshot, may be beyond repair",
      ]);
      assert.ok(snapshot.sidecar.files.includes("backup_label"));
      assert.ok(!snapshot.sidecar.files.includes("tablespace_map"), "there are no tablespaces");
      assert.match(String(snapshot.sidecar.facts?.["startLsn"]), /^[0-9A-F]+\/[0-9A-F]+$/);
      await leavesNothing(server);

      const rows = await opens(t, server, assemble(snapshot), confirmed);
      assert.ok(rows >= 100);
      await verifyAfter(server, load);
    },
  );

  test(
    `${version.name}: tablespaces and a WAL folder elsewhere are captured, and restored to other places`,
    { skip },
    async (t) => {
      const elsewhere = scratch("wal", unprivileged());
      onEnd(t, elsewhere.remove);
      const walDir = path.join(elsewhere.path, "wal");
      const server = await serverWithLedger(t, { ...version.with, initdb: [`--waldir=${walDir}`] });
      const far = await journalElsewhere(t, server);
      const load = await loadOn(t, server);
      const confirmed = load.acknowledged();
      const snapshot = await takeSnapshot(t, context(writerOptions(server)));
      await load.stop();

      assert.deepEqual(
        snapshot.copies.map(({ original }) => original),
        [server.dataDir, walDir, far],
      );
      const dataDir = assemble(snapshot);
      assert.ok(lstatSync(path.join(dataDir, "pg_wal")).isDirectory(), "no link to the WAL of the server that runs");
      await opens(t, server, dataDir, confirmed);
      const link = readFileSync(path.join(dataDir, "tablespace_map.old"), "utf8");
      assert.ok(!link.includes(far), "the restored server has a tablespace of its own");
    },
  );

  test(`${version.name}: WAL that checkpoints would recycle is kept for the sidecar`, { skip }, async (t) => {
    const server = await serverWithLedger(t, { ...version.with, config: littleWal });
    const load = await loadOn(t, server);
    const confirmed = load.acknowledged();
    const ctx = context(writerOptions(server, { checkpoint: "fast" }));
    const snapshot = await takeSnapshot(t, ctx, pressure(server, load));
    await load.stop();
    const wal = snapshot.sidecar.files.filter((file) => file.startsWith("pg_wal/"));
    assert.ok(wal.length >= 5, `only ${wal.length} WAL files were written meanwhile`);
    await server.query("SELECT pg_switch_wal()");
    await server.query("CHECKPOINT");
    const gone = wal.filter((file) => !existsSync(path.join(server.dataDir, file)));
    assert.ok(gone.length > 0, "after the seal the server recycles what was kept");
    await opens(t, server, assemble(snapshot), confirmed);
  });

  test(`${version.name}: the same copy without backup_label opens with wrong books, or not`, { skip }, async (t) => {
    const server = await serverWithLedger(t, { ...version.with, config: littleWal });
    const load = await loadOn(t, server);
    const ctx = context(writerOptions(server, { checkpoint: "fast" }));
    const snapshot = await takeSnapshot(t, ctx, pressure(server, load));
    await load.stop();
    const without = assemble(snapshot, (file) => file === "backup_label");
    await assert.rejects(opens(t, server, without, []));
  });

  test(`${version.name}: a copy without the sidecar's WAL does not open`, { skip }, async (t) => {
    const server = await serverWithLedger(t, version.with);
    const load = await loadOn(t, server);
    const snapshot = await takeSnapshot(t, context(writerOptions(server)));
    await load.stop();
    const without = assemble(snapshot, (file) => file.startsWith("pg_wal/"));
    await assert.rejects(opens(t, server, without, []), PostgresNotReady);
  });
}

/** The server that was captured is none the worse. */
async function verifyAfter(server: PostgresServer, load: LedgerLoad): Promise<void> {
  const client = await server.connect();
  await verifyLedger(client, load.acknowledged());
  await client.end();
}
