/** A PostgreSQL server under load, on a volume of a CSI driver. */
import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import type { SnapshotSet } from "#core/base/schema/types.js";
import { CsiDriver } from "../../support/csi/csi-driver.js";
import { holdstill } from "../../support/process/command-line.js";
import { onEnd } from "../../support/process/on-end.js";
import { missingPostgres } from "../../support/server/postgres-binaries.js";
import { loadOn, serverWithLedger } from "../../support/server/postgres-snapshot.js";
import { tempDir } from "../../support/storage/temp.js";

test(
  "a snapshot of a driver is repaired on a fork, which is another volume of the driver, and verify opens it",
  { skip: process.getuid?.() === 0 ? missingPostgres() : "mounting needs root" },
  async (t) => {
    const driver = await CsiDriver.start(t);
    const volume = await driver.volume("pg", { bytes: 512 * 1024 * 1024 });
    const dir = tempDir(t);
    for (const folder of [dir, driver.folder]) chmodSync(folder, 0o755);
    const server = await serverWithLedger(t, { dataDir: path.join(volume.path, "data") });
    const load = await loadOn(t, server);
    const config = path.join(dir, "holdstill.json");
    const plugins = [
      {
        use: "provider-csi",
        options: { socket: driver.socket, volumes: [{ mount: volume.path, volumeId: volume.volumeId }] },
      },
      { use: "writer-postgres", as: "pg", options: { host: server.socketDir, port: server.port } },
    ];
    const [stateDir, exposeDir] = [path.join(dir, "state"), path.join(dir, "exposed")];
    writeFileSync(config, JSON.stringify({ stateDir, exposeDir, plugins }));
    const on = async (...args: string[]): Promise<unknown> => {
      const run = await holdstill([...args, "--json", "--config", config]);
      assert.equal(run.exitCode, 0, run.stdout + run.stderr);
      return run.json();
    };
    onEnd(t, async () => void (await holdstill(["delete", "latest", "--yes", "--config", config])));

    const { set } = (await on("create", "writer:pg", "--require", "application")) as { set: SnapshotSet };
    await load.stop();
    const [cut, fork] = set.snapshots.map(({ snapshot }) => snapshot);
    assert.deepEqual([set.consistency, fork?.of], ["application", cut?.id]);
    assert.equal(set.writers[0]?.repair?.state, "repaired", set.writers[0]?.repair?.reason);
    assert.equal(driver.stored().length, 2);
    await on("verify", "latest");
    const shown = (await on("show", "latest")) as SnapshotSet;
    assert.deepEqual(
      shown.verified?.map(({ result }) => result),
      ["opens"],
    );
    assert.equal(driver.stored().length, 2, "what verify has used is deleted");
    await on("delete", "latest", "--yes");
    assert.deepEqual(driver.stored(), []);
  },
);
