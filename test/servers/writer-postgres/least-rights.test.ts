/** What the server's user puts in the way of root: links in place of folders and files, and programs. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import writer from "@holdstill/writer-postgres";
import { walFiles } from "@holdstill/writer-postgres/dist/wal-source.js";
import { context } from "../../support/fixture/context.js";
import { onEnd } from "../../support/process/on-end.js";
import { unprivileged } from "../../support/process/unprivileged.js";
import { missingPostgres, requiredBindir } from "../../support/server/postgres-binaries.js";
import {
  exposed,
  journalElsewhere,
  serverWithLedger,
  takeCrashSnapshot,
  writerOptions,
} from "../../support/server/postgres-snapshot.js";
import { scratch } from "../../support/storage/scratch.js";
import { tempDir } from "../../support/storage/temp.js";

const isRoot = process.getuid?.() === 0;
const skip = missingPostgres() || (!isRoot && "what root does for another user needs root");
const user = unprivileged();

/** A library that each program loads which reads this /etc/ld.so.preload. It writes down with which rights. */
function preload(t: TestContext, log: string): { folder: string; seen: () => string } {
  const folder = scratch("preload", user);
  onEnd(t, folder.remove);
  const source = path.join(folder.path, "spy.c");
  const library = path.join(folder.path, "spy.so");
  // In a user namespace, root is whom its map names.
  writeFileSync(
    source,
    `#include <stdio.h>
     #include <unistd.h>
     __attribute__((constructor)) static void spy(void) {
       unsigned inner = 0, outer = 0;
       FILE *map = fopen("/proc/self/uid_map", "r"), *log = fopen("${log}", "a");
       if (map == NULL || fscanf(map, "%u %u", &inner, &outer) != 2) outer = 0;
       if (log != NULL) fprintf(log, "uid %u is %u outside\\n", getuid(), getuid() - inner + outer);
       if (map != NULL) fclose(map);
       if (log != NULL) fclose(log);
     }`,
  );
  execFileSync("gcc", ["-shared", "-fPIC", "-o", library, source]);
  writeFileSync(log, "");
  chownSync(log, user.uid, user.gid);
  writeFileSync(path.join(folder.path, "ld.so.preload"), `${library}\n`);
  return { folder: folder.path, seen: () => readFileSync(log, "utf8") };
}

const noCompiler = spawnSync("gcc", ["--version"]).status !== 0 && "no C compiler";

test(
  "a tablespace's path that becomes a link to /etc makes root load nothing of the user's",
  { skip: skip || noCompiler },
  async (t) => {
    const server = await serverWithLedger(t, {});
    const far = await journalElsewhere(t, server);
    const ctx = context(writerOptions(server));
    const snapshot = await takeCrashSnapshot(t, server, ctx);
    const shown = exposed(snapshot);
    // Only the snapshot can be written to.
    const spy = preload(t, path.join(shown.trees[0]?.path ?? "", "spy.log"));
    // It would be /etc/ld.so.preload where the snapshot of the tablespace covers what the link leads to.
    const copy = snapshot.copies.find(({ original }) => original === far)?.copy ?? "";
    execFileSync("cp", [path.join(spy.folder, "ld.so.preload"), copy]);
    renameSync(far, `${far}.aside`);
    onEnd(t, () => rmSync(`${far}.aside`, { recursive: true, force: true }));
    symlinkSync("/etc", far);
    onEnd(t, () => rmSync(far, { force: true }));

    await writer.repair?.(snapshot.tx, shown, ctx).catch(() => {});
    // It covers /etc for the programs of the user alone.
    assert.match(spy.seen(), new RegExp(`^uid 0 is ${user.uid} outside$`, "m"));
    assert.doesNotMatch(spy.seen(), /^uid 0 is 0 outside$/m);
  },
);

test("what is started by way of the server has its user's rights and no others", { skip }, async (t) => {
  const bin = scratch("bin");
  onEnd(t, bin.remove);
  const real = requiredBindir();
  for (const name of ["postgres", "pg_ctl"]) {
    const script = `#!/bin/sh\ngrep -hE '^(Uid|Cap|NoNew)' /proc/self/status | tr '\\n\\t' '; ' >>spy.log\necho >>spy.log\nexec ${real}/${name} "$@"\n`;
    writeFileSync(path.join(bin.path, name), script);
    chmodSync(path.join(bin.path, name), 0o755);
  }
  const lines: string[] = [];
  for (const elsewhere of [false, true]) {
    const server = await serverWithLedger(t, {});
    if (elsewhere) await journalElsewhere(t, server);
    const ctx = context(writerOptions(server, { binDir: bin.path }));
    const snapshot = await takeCrashSnapshot(t, server, ctx);
    const shown = exposed(snapshot);
    await writer.repair?.(snapshot.tx, shown, ctx);
    assert.equal((await writer.verify?.(snapshot.tx, shown, ctx))?.result, "opens");
    lines.push(
      ...readFileSync(path.join(shown.trees[0]?.path ?? "", "spy.log"), "utf8")
        .trim()
        .split("\n"),
    );
  }
  // A version probe and a server for each repair; a probe, a server, and pg_ctl for each verification.
  assert.ok(lines.length >= 10, `${lines.length} programs`);
  const zero = "0".repeat(16);
  for (const line of lines) {
    assert.match(line, new RegExp(`Uid: ${user.uid} ${user.uid} ${user.uid} ${user.uid};`));
    for (const name of ["CapPrm", "CapEff", "CapInh", "CapAmb"]) assert.ok(line.includes(`${name}: ${zero};`), line);
    assert.ok(line.includes("NoNewPrivs: 1;"), line);
  }
});

test(
  "a WAL file that is a link, a FIFO, too large, or another user's is not read for the sidecar",
  { skip },
  async (t) => {
    const folder = scratch("wal", user);
    onEnd(t, folder.remove);
    const to = tempDir(t);
    const secret = path.join(to, "secret");
    writeFileSync(secret, "only root may read this", { mode: 0o600 });
    const names = {
      link: "00000001000000000000000A",
      fifo: "00000001000000000000000B",
      root: "00000001000000000000000C",
      huge: "00000001000000000000000D",
    };
    symlinkSync(secret, path.join(folder.path, names.link));
    execFileSync("mkfifo", [path.join(folder.path, names.fifo)]);
    chownSync(path.join(folder.path, names.fifo), user.uid, user.gid);
    writeFileSync(path.join(folder.path, names.root), "of root", { mode: 0o600 });
    const huge = path.join(folder.path, names.huge);
    writeFileSync(huge, "");
    truncateSync(huge, 2 * 1024 ** 3);
    chownSync(huge, user.uid, user.gid);
    const source = walFiles(folder.path, user.uid);
    const { signal } = new AbortController();
    for (const name of Object.values(names)) {
      await assert.rejects(source.copy(name, path.join(to, name), signal), { code: "PG_WAL_FOREIGN" });
      assert.equal(existsSync(path.join(to, name)), false);
    }
  },
);

test("a verification removes nothing of root's, whatever the server's user puts in its way", { skip }, async (t) => {
  const server = await serverWithLedger(t, {});
  const ctx = context(writerOptions(server));
  const snapshot = await takeCrashSnapshot(t, server, ctx);
  const shown = exposed(snapshot);
  const precious = tempDir(t);
  mkdirSync(path.join(precious, "etc"));
  writeFileSync(path.join(precious, "etc/passwd"), "precious");
  const dataDir = shown.trees[0]?.path ?? "";
  // What the verification makes, and removes first if it is there.
  for (const name of ["holdstill_hba.conf", ".s.PGSQL.5432", ".s.PGSQL.5432.lock"])
    symlinkSync(path.join(precious, "etc/passwd"), path.join(dataDir, name));
  assert.equal((await writer.verify?.(snapshot.tx, shown, ctx))?.result, "opens");
  assert.equal(readFileSync(path.join(precious, "etc/passwd"), "utf8"), "precious");
});

test(
  "a link in the place of the snapshot's folder does not lead the repair to another cluster",
  { skip },
  async (t) => {
    const server = await serverWithLedger(t, {});
    const ctx = context(writerOptions(server));
    const snapshot = await takeCrashSnapshot(t, server, ctx);
    const shown = exposed(snapshot);
    const place = shown.trees[0]?.path ?? "";
    const finished = path.join(tempDir(t), "finished");
    const swapping = {
      ...ctx,
      exec: (async (command, args, options) => {
        const done = await ctx.exec(command, args, options);
        if (args === undefined || !args.includes("--single")) return done;
        execFileSync("cp", ["-a", place, finished]);
        renameSync(place, `${place}.aside`);
        symlinkSync(finished, place);
        lchownSync(place, user.uid, user.gid);
        return done;
      }) as typeof ctx.exec,
    };
    await assert.rejects(async () => await writer.repair?.(snapshot.tx, shown, swapping), { code: "PATH_UNSAFE" });
    assert.deepEqual(readdirSync(path.join(finished, "pg_wal/archive_status")), []);
  },
);
