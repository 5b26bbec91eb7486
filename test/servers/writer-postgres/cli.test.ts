/** The whole way, as an operator goes it: the command line, a real server under load, the bundled provider. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { readControl } from "@holdstill/writer-postgres/dist/control.js";
import type { SnapshotSet } from "#core/base/schema/types.js";
import { holdstill } from "../../support/process/command-line.js";
import { verifyLedger } from "../../support/server/ledger.js";
import { onEnd } from "../../support/process/on-end.js";
import { missingPostgres } from "../../support/server/postgres-binaries.js";
import {
  journalElsewhere,
  leavesNothing,
  loadOn,
  quick,
  serverWithLedger,
} from "../../support/server/postgres-snapshot.js";
import { adopt } from "../../support/server/postgres-server.js";
import { scratch } from "../../support/storage/scratch.js";
import { tempDir } from "../../support/storage/temp.js";
import { unprivileged } from "../../support/process/unprivileged.js";

test(
  "create leaves a pristine snapshot and a recovered fork, which opens at once",
  { skip: missingPostgres() },
  async (t) => {
    const dir = tempDir(t);
    chmodSync(dir, 0o755);
    const server = await serverWithLedger(t, {});
    const far = await journalElsewhere(t, server);
    const load = await loadOn(t, server);
    const config = path.join(dir, "holdstill.json");
    const options = { host: server.socketDir, port: server.port, checkpoint: "fast" };
    const plugins = [{ use: "writer-postgres", as: "pg", options }];
    const settings = { stateDir: path.join(dir, "state"), exposeDir: path.join(dir, "exposed"), plugins };
    writeFileSync(config, JSON.stringify(settings));
    const on = async (...args: string[]): Promise<unknown> => {
      const run = await holdstill([...args, "--json", "--config", config]);
      assert.equal(run.exitCode, 0, run.stderr);
      return run.json();
    };
    onEnd(t, async () => void (await holdstill(["delete", "latest", "--yes", "--config", config])));

    const planned = await holdstill(["plan", "writer:pg", "--config", config]);
    assert.match(planned.stdout.replaceAll(/\s+/g, " "), /no lock, backup mode; snapshot repaired/);
    const confirmed = load.acknowledged();
    await on("create", "writer:pg");
    await load.stop();
    const set = (await on("show", "latest")) as SnapshotSet;
    const [pristine, fork] = set.snapshots.map(({ snapshot }) => snapshot);
    assert.equal(fork?.of, pristine?.id);
    const repair = set.writers[0]?.repair;
    assert.deepEqual([repair?.state, repair?.in], ["repaired", [fork?.id]], repair?.reason);
    assert.ok(Number(repair?.facts?.["redoBytes"]) > 0);

    const shown = (await on("expose", "latest")) as SnapshotSet;
    const placeOf = (id: string | undefined, original: string): string => {
      const exposure = shown.exposed?.find(({ snapshot }) => snapshot === id);
      assert.equal(exposure?.exposed.readOnly, true);
      return exposure.exposed.trees.find((tree) => tree.original === original)?.path ?? "";
    };
    const state = (id: string | undefined): string =>
      readControl(path.join(placeOf(id, server.dataDir), "global/pg_control")).state;
    assert.deepEqual([state(pristine?.id), state(fork?.id)], ["in use", "shut down"]);

    const copies = scratch("copy", unprivileged());
    onEnd(t, copies.remove);
    const dataDir = path.join(copies.path, "data");
    const script = `cp -a -T ${placeOf(fork?.id, server.dataDir)} ${dataDir}
    cp -a -T ${placeOf(fork?.id, far)} ${copies.path}/far
    for link in ${dataDir}/pg_tblspc/*; do ln -sfn ${copies.path}/far $link; done`;
    execFileSync("sh", ["-euc", script]);
    adopt(copies.path);
    adopt(dataDir);
    const second = await server.startOn(dataDir, quick);
    onEnd(t, async () => await second.stop("immediate"));
    assert.doesNotMatch(second.log(), /redo/);
    const client = await second.connect();
    onEnd(t, async () => await client.end());
    await verifyLedger(client, confirmed);

    await on("delete", "latest", "--yes");
    assert.equal(existsSync(String(fork?.facts?.["path"])), false);
    await leavesNothing(server);
  },
);
