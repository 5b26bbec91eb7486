/** What is started by way of a server has the rights of that server, and the server that answers is the one whose folder is captured. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import writer from "@holdstill/writer-mysql";
import { context } from "../../support/fixture/context.js";
import { MysqlFixture, writerOptions } from "../../support/server/mysql-snapshot.js";
import { install, mariadb, missingServer } from "../../support/server/mysql-server.js";
import { onEnd } from "../../support/process/on-end.js";
import { unprivileged } from "../../support/process/unprivileged.js";
import { tempDir } from "../../support/storage/temp.js";

const skip = missingServer(mariadb);
const { uid, gid } = unprivileged();

test("every program that is started by way of a server runs as its user, without capabilities", { skip }, async (t) => {
  const bench = await MysqlFixture.lay(t, mariadb);
  // The data directory is root's, as it may be, and only what is in it is the server's.
  chownSync(bench.server.dataDir, 0, gid);
  chmodSync(bench.server.dataDir, 0o770);
  const dir = openDir(t);
  const seen = path.join(dir, "seen");
  writeFileSync(seen, "");
  chmodSync(seen, 0o666);
  const program = path.join(dir, "sbin/mariadbd");
  mkdirSync(path.dirname(program));
  mkdirSync(path.join(dir, "bin"));
  for (const [file, real] of [
    [program, "/usr/sbin/mariadbd"],
    [path.join(dir, "bin/innochecksum"), "/usr/bin/innochecksum"],
  ] as const) {
    const note = `grep -E '^(Uid|Gid|Groups|Cap[A-Z][a-z]+|NoNewPrivs):' /proc/self/status >>${seen}; echo "== $*" >>${seen}`;
    writeFileSync(file, `#!/bin/sh\n${note}\nexec ${real} "$@"\n`, { mode: 0o755 });
  }
  const snapshot = await bench.take();
  const ctx = context(
    { ...bench.ctx.options, serverBinary: program, verify: "checksums" as const },
    { limitMs: 600_000 },
  );
  // Beside devices, the program may write only to the snapshot.
  const noting = {
    ...ctx,
    exec: (async (command, args, options = {}) =>
      await ctx.exec(
        command,
        args,
        options.writable === undefined ? options : { ...options, writable: [...options.writable, dir] },
      )) as typeof ctx.exec,
  };
  const repaired = await writer.repair?.(snapshot.tx, bench.expose(snapshot.clone), noting);
  assert.deepEqual([repaired?.ok, repaired?.reason], [true, undefined]);
  const verified = await writer.verify?.(snapshot.tx, bench.expose(bench.volume.fork(snapshot.clone)), noting);
  assert.equal(verified?.result, "opens", JSON.stringify(verified));

  const runs = readFileSync(seen, "utf8")
    .split(/^== .*\n/m)
    .filter(Boolean);
  assert.ok(runs.length > 4, "version probes, two servers, and checksums");
  for (const run of runs) {
    const fields = new Map(
      run
        .trim()
        .split("\n")
        .map((line) => line.split(":\t") as [string, string]),
    );
    assert.deepEqual(fields.get("Uid")?.split("\t"), Array(4).fill(String(uid)));
    assert.deepEqual(fields.get("Gid")?.split("\t"), Array(4).fill(String(gid)));
    assert.equal(fields.get("Groups")?.trim(), "");
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]) assert.match(fields.get(set) ?? "", /^0+$/);
    assert.equal(fields.get("NoNewPrivs"), "1");
  }
  const folders = [...readFileSync(seen, "utf8").matchAll(/--loose-socket=(\S+)\/run\/socket/g)].map(
    ([, found = ""]) => found,
  );
  assert.ok(folders.length > 1, "two servers ran");
  assert.deepEqual(
    folders.filter((found) => existsSync(found)),
    [],
  );
});

test("a process that the pid file names, in the data directory, is not the server", { skip }, async (t) => {
  const bench = await MysqlFixture.lay(t, mariadb);
  const { server } = bench;
  const program = path.join(openDir(t), "mysqld");
  cpSync("/bin/sleep", program);
  const other = spawn(program, ["600"], { cwd: server.dataDir, uid, gid, stdio: "ignore" });
  onEnd(t, () => void other.kill("SIGKILL"));
  const [row] = await server.query<{ pidFile: string }>("SELECT @@global.pid_file AS pidFile");
  writeFileSync(row?.pidFile ?? "", `${other.pid}\n`);
  const [component] = await writer.identify(bench.ctx);
  assert.equal(component?.facts?.["binary"], "/usr/sbin/mariadbd");
  assert.deepEqual(component?.facts?.["user"], { uid, gid, groups: [] });
});

test("by TCP, the server that has the other end of the connection is found", { skip }, async (t) => {
  const bench = await MysqlFixture.lay(t, mariadb, { settings: { port: 33_871, "bind-address": "127.0.0.1" } });
  await bench.server.query("CREATE USER snap@'%' IDENTIFIED BY ''; GRANT PROCESS ON *.* TO snap@'%'");
  const options = writerOptions(bench.server, { host: "127.0.0.1", port: 33_871, tls: "off", user: "snap" });
  const [component] = await writer.identify(context(options));
  assert.deepEqual(component?.facts?.["user"], { uid, gid, groups: [] });
});

test("a server whose folder is another server's on this machine is refused", { skip }, async (t) => {
  const bench = await MysqlFixture.lay(t, mariadb);
  const { dataDir, pid } = bench.server;
  const hidden = path.join(bench.volume.mount, "hidden");
  install(mariadb, hidden);
  const dir = openDir(t);
  chownSync(dir, uid, gid);
  const socket = path.join(dir, "socket");
  const mount = `mount --bind "$1" "$2"; shift 2; exec setpriv --reuid ${uid} --regid ${gid} --clear-groups "$@"`;
  const start = [mariadb.binary, "--no-defaults", "--skip-networking", `--datadir=${dataDir}`, `--socket=${socket}`];
  const server = [...start, `--pid-file=${dir}/pid`, `--tmpdir=${dir}`, "--innodb-buffer-pool-size=64M"];
  const inside = ["--mount", "--propagation", "private", "--", "sh", "-c", mount, "sh", hidden, dataDir, ...server];
  const other = spawn("unshare", inside, { stdio: "ignore" });
  onEnd(t, () => void other.kill("SIGKILL"));
  for (let tries = 0; tries < 600 && !readdirSync(dir).includes("socket"); tries += 1) await sleep(100);
  const ctx = context({ ...bench.ctx.options, socket });
  await assert.rejects(writer.identify(ctx), {
    code: "MYSQL_NOT_LOCAL",
    message: `the server names ${dataDir} as its data directory, but process ${pid} works in it, and does not serve ${socket}`,
  });
  await bench.server.halt();
  await assert.rejects(writer.identify(ctx), { code: "MYSQL_NOT_LOCAL", message: /no process that can be seen here/ });
});

test("a folder of another user is not captured, whatever leads there from the data directory", { skip }, async (t) => {
  const bench = await MysqlFixture.lay(t, mariadb);
  const { dataDir } = bench.server;
  const foreign = openDir(t);
  writeFileSync(path.join(foreign, "file"), "");
  for (const [link, target] of [
    [path.join(dataDir, "books/x.MYD"), path.join(foreign, "file")],
    [path.join(dataDir, "linked"), foreign],
  ] as const) {
    symlinkSync(target, link);
    lchownSync(link, uid, gid);
    for (const owner of [0, 60_001]) {
      chownSync(foreign, owner, owner);
      await assert.rejects(writer.identify(bench.ctx), {
        code: "MYSQL_NOT_LOCAL",
        message: `${foreign} belongs to user ${owner}, and the server runs as user ${uid}, so it is not this server's`,
      });
    }
    chownSync(foreign, uid, gid);
    const [component] = await writer.identify(bench.ctx);
    assert.ok(component?.paths.includes(foreign), "a folder of the server's user is captured");
    rmSync(link);
  }
});

test("a link in the place of a server's folder does not lead the repair to another one", { skip }, async (t) => {
  const bench = await MysqlFixture.lay(t, mariadb, { elsewhere: ["far"] });
  const far = path.join(bench.volume.mount, "far");
  await bench.server.query(`CREATE TABLE books.far (id int PRIMARY KEY) ENGINE=InnoDB DATA DIRECTORY='${far}'`);
  const snapshot = await bench.take();
  await bench.server.halt();
  const victim = openDir(t);
  renameSync(path.join(far, "books"), path.join(far, "was"));
  symlinkSync(victim, path.join(far, "books"));
  const { paths } = snapshot.tx.components[0] ?? { paths: [] };
  const report = await writer.repair?.(snapshot.tx, bench.expose(snapshot.clone, paths), bench.ctx);
  assert.equal(report?.ok, false);
  assert.match(report?.reason ?? "", /far\/books leads to another folder/);
});

test(
  "a link in the place of the snapshot's folder shows the server nothing of what it leads to",
  { skip },
  async (t) => {
    const bench = await MysqlFixture.lay(t, mariadb);
    const { dataDir } = bench.server;
    const program = path.join(openDir(t), "mariadbd");
    // The server's user chooses the program.
    const list = `case "$*" in *--version*) exec /usr/sbin/mariadbd "$@";; *) ls ${dataDir} >&2; exit 1;; esac`;
    writeFileSync(program, `#!/bin/sh\n${list}\n`, { mode: 0o755 });
    const snapshot = await bench.take();
    const shown = bench.expose(snapshot.clone);
    const place = shown.trees[0]?.path ?? "";
    chownSync(path.dirname(place), uid, gid);
    // Only root may enter the folder around it.
    const hidden = path.join(tempDir(t), "hidden");
    mkdirSync(hidden, { mode: 0o755 });
    writeFileSync(path.join(hidden, "of-root-alone"), "");
    const ctx = context({ ...bench.ctx.options, serverBinary: program }, { limitMs: 600_000 });
    const swapping = {
      ...ctx,
      exec: (async (command, args, options) => {
        const done = await ctx.exec(command, args, options);
        if (args === undefined || !args.includes("--version")) return done;
        renameSync(place, `${place}.aside`);
        symlinkSync(hidden, place);
        lchownSync(place, uid, gid);
        return done;
      }) as typeof ctx.exec,
    };
    const report = await writer.repair?.(snapshot.tx, shown, swapping);
    assert.equal(report?.ok, false);
    assert.doesNotMatch(report?.reason ?? "", /of-root-alone/);
    assert.match(report?.reason ?? "", /data is not used because it is a symbolic link.*\(PATH_UNSAFE\)/);
  },
);

/** A folder that others may enter. */
function openDir(t: TestContext): string {
  const dir = tempDir(t);
  chmodSync(dir, 0o755);
  return dir;
}
