/** PostgreSQL over two thin volumes that are cut together: the cluster on one, its WAL on the other. */
import { chownSync, existsSync, mkdirSync } from "node:fs";
import test from "node:test";
import writer from "@holdstill/writer-postgres";
import { context } from "../../support/fixture/context.js";
import { debian15, missingPostgres } from "../../support/server/postgres-binaries.js";
import { leavesNothing, loadOn, serverWithLedger, writerOptions } from "../../support/server/postgres-snapshot.js";
import { unprivileged } from "../../support/process/unprivileged.js";
import { lvmSets } from "../support/lvm-set.js";
import { rounds, takeRounds } from "../support/rounds.js";
import { VolumeGroup } from "../support/volume-group.js";

const bindir = existsSync(debian15) ? debian15 : undefined;

test(
  `${rounds} sets of two thin volumes under load open without redo, whole and writable`,
  { skip: missingPostgres(bindir) },
  async (t) => {
    const vg = new VolumeGroup(t);
    vg.pool("pool", 900);
    const [data, logs] = [vg.thin("pool", "data", "ext4"), vg.thin("pool", "logs", "ext4")];
    const wal = `${logs.mount}/wal`;
    mkdirSync(wal, { mode: 0o700 });
    chownSync(wal, unprivileged().uid, unprivileged().gid);
    const config = { fsync: "on", max_wal_size: "64MB" };
    const server = await serverWithLedger(t, {
      ...(bindir !== undefined && { bindir }),
      dataDir: `${data.mount}/data`,
      initdb: [`--waldir=${wal}`],
      config,
    });
    const load = await loadOn(t, server);
    const limitMs = rounds * 120_000;
    const ctx = context(writerOptions(server), { limitMs });
    await takeRounds(t, lvmSets(t, {}, limitMs), {
      writer,
      ctx,
      load,
      open: async ({ trees }) => {
        const copy = trees.find(({ original }) => original === server.dataDir)?.path ?? "";
        return await server.startOn(copy, { fsync: "off" });
      },
    });
    await load.stop();
    await leavesNothing(server);
  },
);
