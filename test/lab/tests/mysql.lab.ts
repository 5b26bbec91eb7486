/** MariaDB over two thin volumes that are cut together: data on one, redo log and binary log on the other. */
import { chownSync, mkdirSync } from "node:fs";
import test, { type TestContext } from "node:test";
import writer from "@holdstill/writer-mysql";
import { context } from "../../support/fixture/context.js";
import { createLedger } from "../../support/server/ledger.js";
import { LedgerLoad } from "../../support/server/load.js";
import { leavesNothing, writerOptions } from "../../support/server/mysql-snapshot.js";
import { mariadb, missingServer, MysqlServer } from "../../support/server/mysql-server.js";
import { onEnd } from "../../support/process/on-end.js";
import { unprivileged } from "../../support/process/unprivileged.js";
import { lvmSets } from "../support/lvm-set.js";
import { rounds, takeRounds } from "../support/rounds.js";
import { VolumeGroup } from "../support/volume-group.js";

test(
  `${rounds} sets of two thin volumes under load are repaired, whole and writable`,
  { skip: missingServer(mariadb) },
  async (t) => {
    const vg = new VolumeGroup(t);
    vg.pool("pool", 900);
    const [data, logs] = [vg.thin("pool", "data", "ext4"), vg.thin("pool", "logs", "ext4")];
    const server = await serverOn(t, data.mount, logs.mount);
    const load = new LedgerLoad(async () => await server.connect({ database: "books" }));
    onEnd(t, async () => await load[Symbol.asyncDispose]());
    await load.start(3);
    const limitMs = rounds * 120_000;
    const ctx = context(writerOptions(server, { verify: "start" }), { limitMs });
    await takeRounds(t, lvmSets(t, {}, limitMs), {
      writer,
      ctx,
      load,
      open: async ({ trees }) => {
        const at = (original: string): string => trees.find((tree) => tree.original === original)?.path ?? "";
        const redo = { "innodb-log-group-home-dir": at(`${logs.mount}/redo`) };
        const second = new MysqlServer(mariadb, at(server.dataDir), { ...settings, ...redo });
        onEnd(t, async () => await second.stop());
        await second.start();
        return {
          readyMs: second.readyMs,
          connect: async () => await second.connect({ database: "books" }),
          stop: async () => await second.stop(),
        };
      },
    });
    await load.stop();
    await leavesNothing(server);
  },
);

// With no tables of privileges an empty folder is enough to start on; to make them takes minutes in here.
const settings = { "innodb-log-file-size": "32M", "skip-grant-tables": 1 };

async function serverOn(t: TestContext, data: string, logs: string): Promise<MysqlServer> {
  const places = {
    "innodb-log-group-home-dir": `${logs}/redo`,
    "log-bin": `${logs}/binlog/bin`,
    "server-id": 1,
    "sync-binlog": 1,
  };
  const server = new MysqlServer(mariadb, `${data}/data`, { ...settings, ...places });
  const { uid, gid } = unprivileged();
  for (const folder of [server.dataDir, `${logs}/redo`, `${logs}/binlog`]) {
    mkdirSync(folder);
    chownSync(folder, uid, gid);
  }
  onEnd(t, async () => await server.stop());
  await server.start();
  // MariaDB cannot start again after a crash that comes right upon its first start on an empty folder.
  await server.halt();
  await server.start();
  await server.query("CREATE DATABASE books");
  const client = await server.connect({ database: "books" });
  await createLedger(client);
  await client.end();
  return server;
}
