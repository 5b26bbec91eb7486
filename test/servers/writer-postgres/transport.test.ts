/** PostgreSQL on host A, its repair, verification, and backup on host B, and the server that is restored on C. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { readControl } from "@holdstill/writer-postgres/dist/control.js";
import type { SnapshotSet } from "#core/base/schema/types.js";
import { TransportHost } from "../../support/fixture/transport-host.js";
import { verifyLedger } from "../../support/server/ledger.js";
import { onEnd } from "../../support/process/on-end.js";
import { missingPostgres } from "../../support/server/postgres-binaries.js";
import { leavesNothing, loadOn, quick, serverWithLedger } from "../../support/server/postgres-snapshot.js";
import { adopt } from "../../support/server/postgres-server.js";
import { scratch } from "../../support/storage/scratch.js";
import { unprivileged } from "../../support/process/unprivileged.js";

test(
  "a server's set is taken on A without a repair, repaired, verified, and backed up by restic on B, and restored to C without a loss",
  { skip: missingPostgres() || (process.geteuid?.() !== 0 && "the servers' user needs root") },
  async (t) => {
    const server = await serverWithLedger(t, {});
    const load = await loadOn(t, server);
    const options = { host: server.socketDir, port: server.port, checkpoint: "fast", repair: "none" };
    const a = new TransportHost(t, [{ use: "writer-postgres", as: "pg", options }]);
    // No server runs on B: its writer knows only its programs.
    const b = new TransportHost(t, [
      { use: "writer-postgres", as: "pg", options: { host: path.join(a.dir, "nowhere") } },
    ]);

    const confirmed = load.acknowledged();
    const { set: taken } = (await on(a, "create", "writer:pg", "--name", "nightly")) as { set: SnapshotSet };
    await load.stop();
    assert.equal(taken.writers[0]?.repair, undefined);
    const { file } = (await on(a, "export", "nightly", "--to", a.dir)) as { file: string };
    await on(a, "delete", "nightly", "--yes");
    await leavesNothing(server);

    const imported = (await on(b, "import", file)) as SnapshotSet;
    const [cut, fork] = imported.snapshots.map(({ snapshot }) => snapshot);
    const repair = imported.writers[0]?.repair;
    assert.deepEqual([repair?.state, repair?.in, fork?.of], ["repaired", [fork?.id], cut?.id], repair?.reason);
    assert.ok(Number(repair?.facts?.["redoBytes"]) > 0);
    assert.deepEqual([imported.consistency, imported.id], ["application", taken.id]);
    const verified = (await on(b, "verify", "nightly")) as SnapshotSet;
    assert.deepEqual(
      verified.verified?.map(({ result }) => result),
      ["opens"],
    );

    const elsewhere = scratch("c", unprivileged());
    onEnd(t, elsewhere.remove);
    const at = path.join(b.dir, "at");
    mkdirSync(at);
    await on(b, "expose", "nightly", "--at", at);
    const env = {
      ...process.env,
      RESTIC_REPOSITORY: path.join(b.dir, "restic"),
      RESTIC_PASSWORD: "a test",
      HOME: b.dir,
    };
    const script = 'restic init --quiet && restic backup --quiet "$0" && restic restore --quiet latest --target "$1"';
    execFileSync("sh", ["-euc", script, at, elsewhere.path], { env, stdio: "pipe" });
    await on(b, "unexpose", "nightly");
    const dataDir = path.join(elsewhere.path, "data");
    renameSync(path.join(elsewhere.path, at, server.dataDir), dataDir);
    assert.equal(existsSync(path.join(elsewhere.path, at, ".holdstill/set.json")), true);
    assert.equal(readControl(path.join(dataDir, "global/pg_control")).state, "shut down");
    adopt(dataDir);
    const second = await server.startOn(dataDir, quick);
    onEnd(t, async () => await second.stop("immediate"));
    assert.doesNotMatch(second.log(), /redo/);
    const client = await second.connect();
    onEnd(t, async () => await client.end());
    await verifyLedger(client, confirmed);

    const restored = path.join(b.dir, "restored");
    await on(b, "restore", "nightly", "--to", restored, "--yes");
    assert.equal(readControl(path.join(restored, server.dataDir, "global/pg_control")).state, "shut down");
    await on(b, "delete", "nightly", "--yes");
    assert.deepEqual(b.left(), []);
  },
);

/** The document that the command prints. */
async function on(host: TransportHost, ...args: string[]): Promise<unknown> {
  const run = await host.run([...args, "--json"]);
  assert.equal(run.exitCode, 0, run.stdout + run.stderr);
  return run.json();
}
