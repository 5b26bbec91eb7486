/** Which server a folder, a number, or an address belongs to: it is proven, not taken from a name. */
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { SnapshotSet } from "holdstill/plugin";
import writer from "@holdstill/writer-postgres";
import { serverOn } from "@holdstill/writer-postgres/dist/server-process.js";
import { context } from "../../support/fixture/context.js";
import { sampleSet } from "../../support/fixture/sample-set.js";
import { onEnd } from "../../support/process/on-end.js";
import { unprivileged } from "../../support/process/unprivileged.js";
import { missingPostgres } from "../../support/server/postgres-binaries.js";
import type { PostgresServer } from "../../support/server/postgres-server.js";
import { serverWithLedger, writerOptions } from "../../support/server/postgres-snapshot.js";
import { tempDir } from "../../support/storage/temp.js";

const skip = missingPostgres();
const mayUnshare = spawnSync("unshare", ["--pid", "--fork", "--mount-proc", "true"], { stdio: "ignore" }).status === 0;
const skipPid = skip || (!mayUnshare && "this process may not make a pid namespace");

async function setOf(server: PostgresServer): Promise<SnapshotSet> {
  const by = { instance: "pg", plugin: "writer-postgres", version: "1.0.0" };
  const components = await writer.identify(context(writerOptions(server)));
  const consistency = "application" as const;
  return {
    ...sampleSet(),
    components: components.map((component) => ({ writer: "pg", component, volumes: [], consistency })),
    writers: [{ by, policy: "required", state: "frozen" }],
  };
}

test(
  "a restore is refused while the cluster's server runs, wherever the config says now that it listens",
  { skip },
  async (t) => {
    const server = await serverWithLedger(t, {});
    const set = await setOf(server);
    for (const given of [{ host: `${server.socketDir}/` }, { port: 5433 }, { host: "/nowhere" }]) {
      const ctx = context(writerOptions(server, given), { dataDir: tempDir(t) });
      await assert.rejects(async () => writer.beforeRestore?.(set, ctx), { code: "PG_RUNNING" });
      await assert.rejects(async () => writer.afterRestore?.(set, ctx), { code: "PG_RUNNING" });
    }
  },
);

test("a link to another user's folder in the place of pg_wal is refused", { skip }, async (t) => {
  const server = await serverWithLedger(t, {});
  const [wal, foreign] = [path.join(server.dataDir, "pg_wal"), tempDir(t)];
  const { uid } = statSync(wal);
  renameSync(wal, `${wal}.was`);
  symlinkSync(foreign, wal);
  const refused = writer.identify(context(writerOptions(server)));
  await assert.rejects(refused, { code: "PG_NOT_LOCAL", message: /does not belong to the user/ });
  chownSync(foreign, uid, uid);
  const [component] = await writer.identify(context(writerOptions(server)));
  assert.ok(component?.paths.includes(foreign), "a folder of the server's user is captured");
  await server.halt("immediate");
});

test("a set in which the writer finds nothing of its own is an error, not a restore", { skip }, async (t) => {
  const server = await serverWithLedger(t, {});
  const ctx = context(writerOptions(server), { dataDir: tempDir(t) });
  const without = { ...(await setOf(server)), components: [] };
  await assert.rejects(async () => writer.beforeRestore?.(without, ctx), { code: "PG_SNAPSHOT" });
  await assert.rejects(async () => writer.afterRestore?.(without, ctx), { code: "PG_SNAPSHOT" });
  const tx = { id: "x", cut: "atomic", components: [], sidecarDir: tempDir(t) } as const;
  const shown = { trees: [{ original: server.dataDir, path: server.dataDir }], readOnly: false };
  await assert.rejects(async () => writer.repair?.(tx, shown, ctx), { code: "PG_SNAPSHOT" });
  await assert.rejects(async () => writer.verify?.(tx, shown, ctx), { code: "PG_SNAPSHOT" });
});

test("after a restore, data of another cluster are refused before anything in them is changed", { skip }, async (t) => {
  const [server, other] = [await serverWithLedger(t, {}), await serverWithLedger(t, {})];
  const set = await setOf(server);
  await server.halt();
  await other.halt();
  rmSync(server.dataDir, { recursive: true });
  renameSync(other.dataDir, server.dataDir);
  writeFileSync(path.join(server.dataDir, "postmaster.pid"), "1\n");
  const ctx = context(writerOptions(server), { dataDir: tempDir(t) });
  await assert.rejects(async () => writer.afterRestore?.(set, ctx), {
    code: "PG_SNAPSHOT",
    message: /is of cluster \d+/,
  });
  assert.equal(existsSync(path.join(server.dataDir, "postmaster.pid")), true);
});

test(
  "the number in postmaster.pid proves nothing: another process that has it does not stop a restore",
  { skip },
  async (t) => {
    const server = await serverWithLedger(t, {});
    const set = await setOf(server);
    const ctx = context(writerOptions(server), { dataDir: tempDir(t) });
    await server.halt("immediate");
    writeFileSync(path.join(server.dataDir, "postmaster.pid"), `${process.pid}\n${server.dataDir}\n`);
    await writer.beforeRestore?.(set, ctx);
  },
);

test("a server that is process 1 of its pid namespace is found by where it works", { skip: skipPid }, async (t) => {
  const server = await serverWithLedger(t, {});
  await server.halt();
  await startInNamespace(t, server, server.dataDir);
  assert.equal(readFileSync(path.join(server.dataDir, "postmaster.pid"), "utf8").split("\n")[0], "1");
  const set = await setOf(server);
  assert.equal(set.components[0]?.component.facts?.["programs"], server.bindir);
  const ctx = context(writerOptions(server), { dataDir: tempDir(t) });
  await assert.rejects(async () => writer.beforeRestore?.(set, ctx), { code: "PG_RUNNING" });
});

test("a server whose folder has another cluster's data on this machine is refused", { skip: skipPid }, async (t) => {
  const [server, other] = [await serverWithLedger(t, {}), await serverWithLedger(t, {})];
  await server.halt();
  await other.halt();
  const aside = `${server.dataDir}.aside`;
  renameSync(server.dataDir, aside);
  execFileSync("cp", ["-a", "-T", other.dataDir, server.dataDir]);
  await startInNamespace(t, server, aside);
  const identified = writer.identify(context(writerOptions(server)));
  await assert.rejects(identified, { code: "PG_NOT_LOCAL", message: /belongs to another cluster/ });
});

test(
  "a tablespace whose folder is gone is named, and a folder that is a link elsewhere is too",
  { skip },
  async (t) => {
    const server = await serverWithLedger(t, {});
    const dir = tempDir(t);
    const far = path.join(dir, "far");
    spawnSync("install", ["-d", "-o", String(unprivileged().uid), far]);
    spawnSync("chmod", ["755", dir]);
    await server.query(`CREATE TABLESPACE "shop.de é" LOCATION '${far}'`);
    renameSync(far, `${far}.aside`);
    const ctx = context(writerOptions(server));
    await assert.rejects(writer.identify(ctx), {
      code: "PG_TABLESPACE",
      message: /tablespace shop\.de é does not exist/,
    });
    renameSync(`${far}.aside`, far);
    await writer.identify(ctx);
    const stat = path.join(server.dataDir, "pg_stat");
    renameSync(stat, path.join(dir, "pg_stat"));
    symlinkSync(path.join(dir, "pg_stat"), stat);
    await assert.rejects(writer.identify(ctx), { code: "PG_SNAPSHOT", message: /pg_stat is a symbolic link/ });
  },
);

/** Process 1, as in a container, whose data directory is another folder of this machine. */
async function startInNamespace(t: TestContext, server: PostgresServer, folder: string): Promise<void> {
  const { uid, gid } = unprivileged();
  const args = ["-D", server.dataDir, "-c", `unix_socket_directories=${server.socketDir}`, "-c", "listen_addresses="];
  const become = ["setpriv", "--reuid", `${uid}`, "--regid", `${gid}`, "--clear-groups", "--"];
  const namespace = [
    "--mount",
    "--pid",
    "--fork",
    "--mount-proc",
    "sh",
    "-euc",
    'mount --bind "$0" "$1"; shift; exec "$@"',
  ];
  const started = [folder, server.dataDir, ...become, path.join(server.bindir, "postgres"), ...args];
  const child = spawn("unshare", [...namespace, ...started], { stdio: "ignore", cwd: "/" });
  onEnd(t, async () => {
    const over = once(child, "exit");
    // Its parent does not pass a signal on.
    const pid = serverOn(folder)?.pid;
    if (pid !== undefined) process.kill(pid, "SIGQUIT");
    else child.kill("SIGKILL");
    await over;
  });
  for (let wait = 0; wait < 1500; wait += 1) {
    if (existsSync(path.join(server.socketDir, ".s.PGSQL.5432"))) {
      if (await server.query("SELECT 1").then(Boolean, () => false)) return;
    }
    await sleep(20);
  }
  assert.fail("the server did not start");
}
