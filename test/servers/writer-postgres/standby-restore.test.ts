/** A streaming replica as an operator has it: captured, lost, and restored by the command line; and one that takes no queries. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import writer from "@holdstill/writer-postgres";
import type { SnapshotSet } from "#core/base/schema/types.js";
import { context } from "../../support/fixture/context.js";
import { holdstill } from "../../support/process/command-line.js";
import { onEnd } from "../../support/process/on-end.js";
import { unprivileged } from "../../support/process/unprivileged.js";
import { type Acknowledged, verifyLedger } from "../../support/server/ledger.js";
import { debian15, missingPostgres } from "../../support/server/postgres-binaries.js";
import type { PostgresServer } from "../../support/server/postgres-server.js";
import { loadOn, quick, serverWithLedger, writerOptions } from "../../support/server/postgres-snapshot.js";
import { scratch } from "../../support/storage/scratch.js";
import { tempDir } from "../../support/storage/temp.js";

// It has pg_basebackup.
const skip = missingPostgres(debian15);

/** A primary, and a replica of it that pg_basebackup made and that streams. */
async function replicated(
  t: TestContext,
  settings = {},
): Promise<{ primary: PostgresServer; replica: PostgresServer }> {
  const primary = await serverWithLedger(t, { bindir: debian15 });
  const folder = scratch("replica", unprivileged());
  onEnd(t, folder.remove);
  const dataDir = path.join(folder.path, "data");
  const from = ["-h", primary.socketDir, "-p", String(primary.port), "-U", "postgres"];
  execFileSync(path.join(primary.bindir, "pg_basebackup"), [...from, "-D", dataDir, "-R", "-c", "fast"], {
    ...unprivileged(),
    cwd: "/",
    env: { PATH: "/usr/bin:/bin" },
  });
  const replica = await primary.startOn(dataDir, { ...quick, ...settings });
  onEnd(t, async () => await replica.stop("immediate"));
  return { primary, replica };
}

/** Waits until the replica has the rows. */
async function caughtUp(primary: PostgresServer, replica: PostgresServer): Promise<void> {
  const [at] = await primary.query<{ lsn: string }>("SELECT pg_current_wal_lsn()::text AS lsn");
  for (let wait = 0; wait < 1500; wait += 1) {
    const sql = "SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS yes";
    const [there] = await replica.query<{ yes: boolean }>(sql, [at?.lsn]);
    if (there?.yes === true) return;
    await sleep(20);
  }
  assert.fail(`the replica did not catch up: ${replica.log()}`);
}

async function books(t: TestContext, server: PostgresServer, confirmed: Acknowledged[]): Promise<void> {
  const client = await server.connect();
  onEnd(t, async () => await client.end());
  await verifyLedger(client, confirmed);
}

test(
  "a replica that was lost is restored as a server of its own, or with --as-cut as a replica that streams again",
  { skip },
  async (t) => {
    const { primary, replica } = await replicated(t);
    const dir = tempDir(t);
    chmodSync(dir, 0o755);
    const config = path.join(dir, "holdstill.json");
    const options = { host: replica.socketDir, port: replica.port, checkpoint: "fast" };
    const plugins = [{ use: "writer-postgres", as: "pg", options }];
    writeFileSync(config, JSON.stringify({ stateDir: `${dir}/state`, exposeDir: `${dir}/exposed`, plugins }));
    const on = async (...args: string[]): Promise<string> => {
      const ran = await holdstill([...args, "--config", config]);
      assert.equal(ran.exitCode, 0, ran.stderr);
      return ran.stdout;
    };
    onEnd(t, async () => void (await holdstill(["delete", "latest", "--yes", "--config", config])));

    const load = await loadOn(t, primary);
    const confirmed = load.acknowledged();
    await caughtUp(primary, replica);
    await on("create", "writer:pg", "--require", "application");
    await load.stop();
    const set = JSON.parse(await on("show", "latest", "--json")) as SnapshotSet;
    assert.equal(set.components[0]?.component.facts?.["role"], "standby");
    assert.equal(set.writers[0]?.repair?.state, "repaired", set.writers[0]?.repair?.reason);

    await replica.halt("immediate");
    rmSync(replica.dataDir, { recursive: true });
    await on("restore", "latest", "--yes");
    assert.equal(existsSync(path.join(replica.dataDir, "standby.signal")), false);
    await replica.start();
    assert.deepEqual(await replica.query("SELECT pg_is_in_recovery() AS standby"), [{ standby: false }]);
    await books(t, replica, confirmed);
    await replica.query("CREATE TABLE it_writes ()");

    await replica.halt("immediate");
    rmSync(replica.dataDir, { recursive: true });
    await on("restore", "latest", "--as-cut", "--yes");
    await replica.start();
    await primary.query("CREATE TABLE after_the_cut AS SELECT 7 AS n");
    await caughtUp(primary, replica);
    assert.deepEqual(await replica.query("SELECT pg_is_in_recovery() AS standby, n FROM after_the_cut"), [
      { standby: true, n: 7 },
    ]);
    await books(t, replica, load.acknowledged());
  },
);

test(
  "a replica that takes no queries is not said to be down: the message has the server's reason",
  { skip },
  async (t) => {
    const { replica } = await replicated(t, { hot_standby: "off" });
    await assert.rejects(writer.identify(context(writerOptions(replica))), {
      code: "PG_DOWN",
      message: /Hot standby mode is disabled/,
      hint: /hot_standby = on/,
    });
  },
);
