/** MariaDB over two thin volumes that are cut together: data on one, redo log and binary log on the other. */
import assert from "node:assert/strict";
import { chownSync, mkdirSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import writer from "@holdstill/writer-mysql";
import { context } from "../../rig/context.js";
import { createLedger, verifyLedger } from "../../rig/ledger.js";
import { LedgerLoad } from "../../rig/load.js";
import { leavesNothing, writerOptions } from "../../rig/mysql-picture.js";
import { mariadb, missingServer, MysqlServer } from "../../rig/mysql-server.js";
import { onEnd } from "../../rig/on-end.js";
import { tempDir } from "../../rig/temp.js";
import { unprivileged } from "../../rig/unprivileged.js";
import { type MountedVolume, run, VolumeGroup } from "../rig/volume-group.js";

test("a picture of two thin volumes under load is repaired and whole", { skip: missingServer(mariadb) }, async (t) => {
  const vg = new VolumeGroup(t);
  vg.pool("pool", 900);
  const volumes = [vg.thin("pool", "data", "ext4"), vg.thin("pool", "logs", "ext4")];
  const [data, logs] = volumes.map(({ mount }) => mount);
  const { uid, gid } = unprivileged();
  for (const name of ["redo", "binlog"]) {
    mkdirSync(`${logs}/${name}`);
    chownSync(`${logs}/${name}`, uid, gid);
  }
  const places = { "innodb-log-group-home-dir": `${logs}/redo`, "innodb-log-file-size": "32M" };
  // With no tables of privileges an empty folder is enough to start on; to make them takes minutes in here.
  const settings = { ...places, "skip-grant-tables": 1 };
  const server = new MysqlServer(mariadb, `${data}/data`, {
    ...settings,
    "log-bin": `${logs}/binlog/bin`,
    "server-id": 1,
  });
  mkdirSync(server.dataDir);
  chownSync(server.dataDir, uid, gid);
  onEnd(t, async () => await server.stop());
  await server.start();
  // MariaDB cannot start again after a crash that comes right upon its first start on an empty folder.
  await server.halt();
  await server.start();
  await server.query("CREATE DATABASE books");
  const client = await server.connect({ database: "books" });
  await createLedger(client);
  await client.end();
  const load = new LedgerLoad(async () => await server.connect({ database: "books" }));
  onEnd(t, async () => await load[Symbol.asyncDispose]());
  await load.start(3);

  const ctx = context(writerOptions(server, { verify: "start" }), { limitMs: 300_000 });
  await load.advance(30);
  const suffix = "picture";
  const cut = prepareCut(vg, volumes, suffix);
  const tx = { id: "Set", cut: "atomic", components: await writer.identify(ctx), sidecarDir: tempDir(t) } as const;
  assert.deepEqual(new Set(tx.components[0]?.paths), new Set([server.dataDir, `${logs}/redo`, `${logs}/binlog`]));
  await writer.prepare?.(tx, ctx);
  const confirmed = load.acknowledged();
  const token = await writer.freeze(tx, ctx);
  cut();
  const thaw = await writer.thaw(tx, token, ctx);
  assert.deepEqual([thaw.held, thaw.why], [true, undefined]);

  const points = new Map(volumes.map(({ mount, name, fs }) => [mount, vg.mountSnapshot(`${name}-${suffix}`, fs)]));
  const trees = (tx.components[0]?.paths ?? []).map((original) => {
    const [mount = "", point = ""] = [...points].find(([at]) => original.startsWith(`${at}/`)) ?? [];
    return { original, path: path.join(point, path.relative(mount, original)) };
  });
  const report = await writer.recover?.(tx, { trees, readOnly: false }, ctx);
  assert.deepEqual([report?.ok, report?.why], [true, undefined]);
  assert.ok(Number(report?.facts?.["redoBytes"]) > 0);
  const verified = await writer.verify?.(tx, { trees, readOnly: false }, ctx);
  assert.deepEqual([verified?.ok, verified?.why, verified?.facts?.["redoBytes"]], [true, undefined, 0]);

  const at = (name: string): string => trees.find(({ original }) => original.endsWith(name))?.path ?? "";
  const second = new MysqlServer(mariadb, at("/data"), { ...settings, "innodb-log-group-home-dir": at("/redo") });
  onEnd(t, async () => await second.stop());
  await second.start();
  const books = await second.connect({ database: "books" });
  await verifyLedger(books, confirmed);
  await books.end();
  await second.stop();
  await load.stop();
  await leavesNothing(server);
});

/** Makes the snapshots' places; what it answers suspends all volumes, takes the snapshots, and lets go. */
function prepareCut(vg: VolumeGroup, volumes: readonly MountedVolume[], suffix: string): () => void {
  const id = (name: string): string => vg.lvm("lvs", ["--noheadings", "-o", "thin_id", `${vg.name}/${name}`]).trim();
  const pool = vg.dm("pool", "tpool");
  const cuts = volumes.map(({ name, dm }) => {
    vg.lvm("lvcreate", ["-y", "-an", "-V", "320M", "-T", `${vg.name}/pool`, "-n", `${name}-${suffix}`]);
    return { name, dm, origin: id(name), snap: id(`${name}-${suffix}`) };
  });
  return () => {
    for (const { dm } of cuts) run("dmsetup", ["suspend", dm]);
    for (const { snap, origin } of cuts) {
      run("dmsetup", ["message", pool, "0", `delete ${snap}`]);
      run("dmsetup", ["message", pool, "0", `create_snap ${snap} ${origin}`]);
    }
    for (const { dm } of cuts) run("dmsetup", ["resume", dm]);
    for (const { name } of cuts) vg.lvm("lvchange", ["-ay", `${vg.name}/${name}-${suffix}`]);
  };
}
