import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { pathToFileURL } from "node:url";
import type { Writer } from "holdstill/plugin";
import writer from "@holdstill/writer-mysql";
import { context } from "../../support/fixture/context.js";
import { MysqlFixture, leavesNothing, type Options, writerOptions } from "../../support/server/mysql-snapshot.js";
import { mariadb, mariadb11, missingServer, mysql9 } from "../../support/server/mysql-server.js";
import { onEnd } from "../../support/process/on-end.js";
import { stopped } from "../../support/process/is-alive.js";
import { tempDir } from "../../support/storage/temp.js";

const skip = missingServer(mariadb);

/** The plugin as a worker sees it that was started after another one died. */
async function blankWorker(): Promise<Writer<Options>> {
  const entry = pathToFileURL(createRequire(import.meta.url).resolve("@holdstill/writer-mysql"));
  const module = (await import(`${entry.href}?blank=${performance.now()}`)) as { default: Writer<Options> };
  return module.default;
}

function passwordFile(t: TestContext, password: string): string {
  const file = path.join(tempDir(t), "password");
  writeFileSync(file, `${password}\n`, { mode: 0o600 });
  return file;
}

test("a session that is killed while frozen is told by thaw", { skip }, async (t) => {
  const bench = await laid(t);
  const { server, ctx } = bench;
  const tx = await bench.begin();
  await writer.prepare?.(tx, ctx);
  const token = await writer.freeze(tx, ctx);
  await server.query(`KILL ${(token as { thread: number }).thread}`);
  const thaw = await writer.thaw(tx, token, ctx);
  assert.equal(thaw.uninterrupted, false);
  assert.match(thaw.reason ?? "", /the session ended/);
  await writer.abort(tx, token, ctx);
  await leavesNothing(server);
});

test("a server that goes down is a coded error in each phase, and lost in thaw", { skip }, async (t) => {
  const bench = await laid(t);
  const { server, ctx } = bench;
  const before = await bench.begin();
  await server.halt("SIGKILL");
  await assert.rejects(writer.identify(ctx), { code: "MYSQL_DOWN" });
  await assert.rejects(writer.prepare?.(before, ctx) ?? Promise.resolve(), { code: "MYSQL_DOWN" });
  await assert.rejects(writer.freeze(before, ctx), { code: "MYSQL_SESSION_LOST" });
  await writer.abort(before, null, ctx);

  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    await server.start();
    const early = await bench.begin();
    await writer.prepare?.(early, ctx);
    await server.halt(signal);
    await assert.rejects(writer.freeze(early, ctx), { code: "MYSQL_SESSION_LOST" });
    await writer.abort(early, null, ctx);

    await server.start();
    const during = await bench.begin();
    await writer.prepare?.(during, ctx);
    const token = await writer.freeze(during, ctx);
    await server.halt(signal);
    await server.start();
    const thaw = await writer.thaw(during, token, ctx);
    assert.equal(thaw.uninterrupted, false);
    assert.match(thaw.reason ?? "", /the session ended/);
    await writer.abort(during, token, ctx);
    await leavesNothing(server);
    await server.halt();
  }
});

test("a server that hangs delays no caller beyond the deadline, and abort ends its session", { skip }, async (t) => {
  const bench = await laid(t);
  const { server, ctx } = bench;
  const tx = await bench.begin();
  await writer.prepare?.(tx, ctx);
  await stopped(server.pid);
  try {
    const begun = performance.now();
    await assert.rejects(writer.freeze(tx, context(ctx.options, { limitMs: 300 })), { name: "TimeoutError" });
    await assert.rejects(writer.abort(tx, null, context(ctx.options, { limitMs: 300 })), { name: "TimeoutError" });
    assert.ok(performance.now() - begun < 5_000);
  } finally {
    process.kill(server.pid, "SIGCONT");
  }
  await (await blankWorker()).abort(tx, null, ctx);
  await leavesNothing(server);
});

test("abort may come twice, before prepare, and in a blank worker", { skip }, async (t) => {
  const bench = await laid(t);
  const { server, ctx } = bench;
  await server.query("CREATE TABLE books.old (id int) ENGINE=MyISAM");
  const tx = await bench.begin();
  await writer.abort(tx, null, ctx);
  await writer.prepare?.(tx, ctx);
  const token = await writer.freeze(tx, ctx);
  const blank = await blankWorker();
  assert.equal((await blank.thaw(tx, token, ctx)).uninterrupted, false);
  await blank.abort(tx, token, ctx);
  await server.query("INSERT INTO books.old VALUES (1)");
  await blank.abort(tx, token, ctx);
  await writer.abort(tx, token, ctx);
  await writer.abort(tx, token, ctx);
  await leavesNothing(server);
});

test("a wrong password, none, and one that others may read have codes and stay secret", { skip }, async (t) => {
  const { server } = await laid(t);
  await server.query("CREATE USER snap@localhost IDENTIFIED BY 'right'");
  const as = (given: Partial<Options>): ReturnType<typeof context<Options>> =>
    context(writerOptions(server, { user: "snap", ...given }));
  const wrong = passwordFile(t, "wrong-secret");
  await assert.rejects(writer.identify(as({ passwordFile: wrong })), (error: Error) => {
    assert.equal("code" in error && error.code, "MYSQL_AUTH");
    assert.doesNotMatch(JSON.stringify(error) + error.message + String(error.stack), /wrong-secret/);
    return true;
  });
  await assert.rejects(writer.identify(as({})), { code: "MYSQL_AUTH" });
  await assert.rejects(writer.identify(as({ passwordFile: "/nowhere" })), { code: "MYSQL_FILE" });
  chmodSync(wrong, 0o644);
  await assert.rejects(writer.identify(as({ passwordFile: wrong })), { code: "MYSQL_FILE", hint: /chmod 600/ });
});

test(
  "an account whose authentication plugin is not supported is told which one, and what to use",
  { skip },
  async (t) => {
    const { server } = await laid(t);
    await server.query(
      "INSTALL SONAME 'auth_ed25519'; CREATE USER snap@localhost IDENTIFIED VIA ed25519 USING PASSWORD('x')",
    );
    const options = writerOptions(server, { user: "snap", passwordFile: passwordFile(t, "x") });
    await assert.rejects(writer.identify(context(options)), {
      code: "MYSQL_AUTH",
      message: `the server at ${server.socket} (account snap) must use the authentication plugin client_ed25519, which is not supported`,
      hint: /unix_socket .*mysql_native_password/,
    });
  },
);

test(
  "a password file in another form is told apart: an option file, lines of Windows, and a pipe",
  { skip },
  async (t) => {
    const { server } = await laid(t);
    const using = async (file: string): Promise<unknown> =>
      await writer.identify(context(writerOptions(server, { passwordFile: file })));
    await assert.rejects(using(passwordFile(t, "[client]\npassword = x")), {
      code: "MYSQL_FILE",
      message: /option file like my\.cnf/,
    });
    await assert.rejects(using(passwordFile(t, "password=x")), {
      code: "MYSQL_FILE",
      message: /option file like my\.cnf/,
    });
    await assert.rejects(using(passwordFile(t, "secret\r")), {
      code: "MYSQL_FILE",
      message: /ends with CR LF/,
      hint: /sed -i/,
    });
    const pipe = path.join(tempDir(t), "pipe");
    execFileSync("mkfifo", ["-m", "600", pipe]);
    await assert.rejects(using(pipe), { code: "MYSQL_FILE" });
  },
);

test("a server or an account with no connection left has a code", { skip }, async (t) => {
  const { server, ctx } = await laid(t);
  await server.query("CREATE USER snap@localhost WITH MAX_USER_CONNECTIONS 1; GRANT PROCESS ON *.* TO snap@localhost");
  const only = await server.connect({ user: "snap" });
  onEnd(t, () => only.cut());
  const options = writerOptions(server, { user: "snap" });
  await assert.rejects(writer.identify(context(options)), { code: "MYSQL_FULL", hint: /max_connections/ });
  await server.query("SET GLOBAL max_connections = 10");
  const others = await Promise.all(Array.from({ length: 10 }, async () => await server.connect()));
  onEnd(t, () => {
    for (const other of others) other.cut();
  });
  await assert.rejects(writer.identify(ctx), { code: "MYSQL_FULL" });
});

const ofMariadb = [
  { right: "PROCESS", phase: "identify" },
  { right: "BINLOG MONITOR", phase: "prepare" },
  { right: "RELOAD", phase: "prepare" },
] as const;
const rights = [
  { flavour: mariadb, lacks: ofMariadb },
  { flavour: mariadb11, lacks: ofMariadb },
  {
    flavour: mysql9,
    lacks: [
      { right: "PROCESS", phase: "identify" },
      { right: "BACKUP_ADMIN", phase: "prepare" },
      { right: "RELOAD", phase: "freeze" },
    ],
  },
] as const;

for (const { flavour, lacks } of rights) {
  test(
    `${flavour.name}: the README's grants are enough, and each that lacks is named`,
    { skip: missingServer(flavour) },
    async (t) => {
      const bench = await MysqlFixture.lay(t, flavour);
      const { server } = bench;
      await server.query(
        "CREATE TABLE books.old (id int) ENGINE=MyISAM; CREATE USER snap@localhost IDENTIFIED BY 'right'",
      );
      const ctx = context(writerOptions(server, { user: "snap", passwordFile: passwordFile(t, "right") }));
      if (flavour === mysql9) await server.query("GRANT SELECT ON performance_schema.* TO snap@localhost");
      const run = async (): Promise<string> => {
        let phase = "identify";
        const tx = await bench.begin();
        try {
          await writer.identify(ctx);
          phase = "prepare";
          await writer.prepare?.(tx, ctx);
          phase = "freeze";
          const token = await writer.freeze(tx, ctx);
          phase = "thaw";
          const thaw = await writer.thaw(tx, token, ctx);
          assert.equal(thaw.uninterrupted, true, thaw.reason);
          return "done";
        } catch (error) {
          assert.ok(error instanceof Error && "code" in error);
          assert.equal(error.code, "MYSQL_PRIVILEGE", error.message);
          return phase;
        } finally {
          await writer.abort(tx, null, ctx);
        }
      };
      for (const { right, phase } of lacks) {
        assert.equal(await run(), phase, `without ${right}`);
        await server.query(`GRANT ${right} ON *.* TO snap@localhost`);
      }
      assert.equal(await run(), "done");
      await server.query(`REVOKE RELOAD ON *.* FROM snap@localhost`);
      assert.notEqual(await run(), "done");
      await leavesNothing(server);
    },
  );
}

async function laid(t: TestContext): Promise<MysqlFixture> {
  return await MysqlFixture.lay(t, mariadb);
}
