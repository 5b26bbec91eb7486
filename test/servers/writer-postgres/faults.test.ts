import assert from "node:assert/strict";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { pathToFileURL } from "node:url";
import { createRequire } from "node:module";
import type { Writer } from "holdstill/plugin";
import writer from "@holdstill/writer-postgres";
import { context } from "../../support/fixture/context.js";
import { onEnd } from "../../support/process/on-end.js";
import { missingPostgres } from "../../support/server/postgres-binaries.js";
import { stopped } from "../../support/process/is-alive.js";
import type { PostgresServer } from "../../support/server/postgres-server.js";
import {
  assemble,
  begin,
  leavesNothing,
  quick,
  serverWithLedger,
  takeSnapshot,
  writerOptions,
  type Options,
} from "../../support/server/postgres-snapshot.js";
import { tempDir } from "../../support/storage/temp.js";

const skip = missingPostgres();

/** The plugin as a worker sees it that was started after another one died. */
async function blankWorker(): Promise<Writer<Options>> {
  const entry = pathToFileURL(createRequire(import.meta.url).resolve("@holdstill/writer-postgres"));
  const module = (await import(`${entry.href}?blank=${performance.now()}`)) as { default: Writer<Options> };
  return module.default;
}

async function ourSessions(server: PostgresServer): Promise<number[]> {
  const rows = await server.query<{ pid: number }>(
    "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'holdstill%'",
  );
  return rows.map(({ pid }) => pid);
}

/** A role that has to give a password, and a file with one. */
async function roleWithPassword(t: TestContext, server: PostgresServer, password: string): Promise<string> {
  await server.query("CREATE ROLE snap LOGIN REPLICATION PASSWORD 'right'");
  const hba = path.join(server.dataDir, "pg_hba.conf");
  writeFileSync(hba, `local all snap scram-sha-256\n${readFileSync(hba, "utf8")}`);
  await server.query("SELECT pg_reload_conf()");
  const file = path.join(tempDir(t), "password");
  writeFileSync(file, `${password}\n`, { mode: 0o600 });
  return file;
}

test("a session that is killed while frozen is told by thaw, and the sidecar promises nothing", { skip }, async (t) => {
  const server = await serverWithLedger(t, {});
  const ctx = context(writerOptions(server));
  const tx = await begin(t, ctx);
  await writer.prepare?.(tx, ctx);
  const token = await writer.freeze(tx, ctx);
  await server.query("SELECT pg_terminate_backend($1)", await ourSessions(server));
  const thaw = await writer.thaw(tx, token, ctx);
  assert.equal(thaw.uninterrupted, false);
  assert.match(thaw.reason ?? "", /session ended: terminating connection due to administrator command \(57P01\)/);
  const sidecar = await writer.seal?.(tx, ctx);
  assert.deepEqual(sidecar?.files, []);
  assert.match(String(sidecar?.facts?.["useless"]), /session ended/);
  await leavesNothing(server);
});

test("a server process that hangs delays no caller beyond the deadline, and abort ends it", { skip }, async (t) => {
  const server = await serverWithLedger(t, {});
  const ctx = context(writerOptions(server));
  const tx = await begin(t, ctx);
  await writer.prepare?.(tx, ctx);
  const [pid = 0] = await ourSessions(server);
  await stopped(pid);
  try {
    const begun = performance.now();
    await assert.rejects(writer.freeze(tx, context(ctx.options, { limitMs: 300 })), { name: "TimeoutError" });
    assert.ok(performance.now() - begun < 5_000);
    await assert.rejects(writer.abort(tx, null, context(ctx.options, { limitMs: 500 })), { name: /Timeout|Abort/ });
  } finally {
    process.kill(pid, "SIGCONT");
  }
  await (await blankWorker()).abort(tx, null, ctx);
  await leavesNothing(server);
});

test("abort ends a prepare that waits for its checkpoint", { skip }, async (t) => {
  const slow = { checkpoint_completion_target: "0.9", checkpoint_timeout: "1h" };
  const server = await serverWithLedger(t, { config: slow });
  await server.query("CREATE TABLE dirty AS SELECT repeat('x', 1000) AS x FROM generate_series(1, 20000)");
  const ctx = context(writerOptions(server));
  const tx = await begin(t, ctx);
  await assert.rejects(writer.prepare?.(tx, context(ctx.options, { limitMs: 500 })) ?? Promise.resolve(), {
    name: "TimeoutError",
  });
  assert.equal(
    (await ourSessions(server)).length,
    1,
    "a server process that waits does not notice that its client is gone",
  );
  await (await blankWorker()).abort(tx, null, ctx);
  assert.deepEqual(await ourSessions(server), []);
  await leavesNothing(server);
});

test("abort may come twice, before prepare, and in a blank worker", { skip }, async (t) => {
  const server = await serverWithLedger(t, {});
  const ctx = context(writerOptions(server));
  const tx = await begin(t, ctx);
  await writer.abort(tx, null, ctx);
  await writer.prepare?.(tx, ctx);
  const token = await writer.freeze(tx, ctx);
  const blank = await blankWorker();
  assert.deepEqual((await blank.thaw(tx, token, ctx)).uninterrupted, false);
  await blank.abort(tx, token, ctx);
  assert.deepEqual(await ourSessions(server), []);
  await blank.abort(tx, token, ctx);
  await writer.abort(tx, token, ctx);
  await writer.abort(tx, token, ctx);
  await leavesNothing(server);
});

test("a wrong password, no password and a password that others may read have codes", { skip }, async (t) => {
  const server = await serverWithLedger(t, {});
  const passwordFile = await roleWithPassword(t, server, "wrong");
  const options = (given: Partial<Options>): Options => writerOptions(server, { user: "snap", ...given });
  await assert.rejects(writer.identify(context(options({ passwordFile }))), (error: Error) => {
    assert.equal("code" in error && error.code, "PG_AUTH");
    assert.doesNotMatch(JSON.stringify(error) + error.message, /wrong/);
    return true;
  });
  await assert.rejects(writer.identify(context(options({}))), { code: "PG_AUTH" });
  await assert.rejects(writer.identify(context(options({ passwordFile: "/nowhere" }))), { code: "PG_PASSWORD_FILE" });
  chmodSync(passwordFile, 0o644);
  await assert.rejects(writer.identify(context(options({ passwordFile }))), { code: "PG_PASSWORD_FILE" });
});

test("the README's grants are enough, and without them each lack has a code", { skip }, async (t) => {
  const server = await serverWithLedger(t, {});
  const passwordFile = await roleWithPassword(t, server, "right");
  const ctx = context(writerOptions(server, { user: "snap", passwordFile }));
  await assert.rejects(writer.identify(ctx), { code: "PG_PRIVILEGE", hint: /README/ });
  await server.query("GRANT pg_read_all_settings TO snap");
  const tx = await begin(t, ctx);
  await assert.rejects(writer.prepare?.(tx, ctx) ?? Promise.resolve(), {
    code: "PG_PRIVILEGE",
    message: /pg_backup_start/,
  });
  await writer.abort(tx, null, ctx);

  await server.query("GRANT EXECUTE ON FUNCTION pg_backup_start(text, boolean), pg_backup_stop(boolean) TO snap");
  const snapshot = await takeSnapshot(t, ctx);
  assert.equal(snapshot.thaw.uninterrupted, true);
  const second = await server.startOn(assemble(snapshot), quick);
  onEnd(t, async () => await second.stop("immediate"));
  await leavesNothing(server);

  await server.query("ALTER ROLE snap NOREPLICATION");
  ctx.complaints.length = 0;
  await takeSnapshot(t, ctx);
  assert.match(ctx.complaints.join("\n"), /no replication slot/);
});

test("an atomic cut needs no backup mode, only proof", { skip }, async (t) => {
  const server = await serverWithLedger(t, {});
  const ctx = context(writerOptions(server));
  const tx = await begin(t, ctx, "atomic");
  await writer.prepare?.(tx, ctx);
  const token = await writer.freeze(tx, ctx);
  assert.deepEqual(await server.query("SELECT slot_name FROM pg_replication_slots"), []);
  assert.equal((await writer.thaw(tx, token, ctx)).uninterrupted, true);
  const sidecar = await writer.seal?.(tx, ctx);
  assert.deepEqual(sidecar?.files, []);
  assert.match(String(sidecar?.facts?.["lsn"]), /^[0-9A-F]+\/[0-9A-F]+$/);
  await leavesNothing(server);
});
