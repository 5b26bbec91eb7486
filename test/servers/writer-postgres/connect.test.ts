/** What answers where a server is meant to: a pooler, a standby that takes no queries, a server that wants another password. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { createServer, connect as connectTo, type Socket } from "node:net";
import path from "node:path";
import test, { type TestContext } from "node:test";
import writer from "@holdstill/writer-postgres";
import { connectError } from "@holdstill/writer-postgres/dist/errors.js";
import { DatabaseError } from "pg";
import { context } from "../../support/fixture/context.js";
import { onEnd } from "../../support/process/on-end.js";
import { missingPostgres } from "../../support/server/postgres-binaries.js";
import {
  leavesNothing,
  serverWithLedger,
  takeSnapshot,
  writerOptions,
} from "../../support/server/postgres-snapshot.js";
import { tempDir } from "../../support/storage/temp.js";

const skip = missingPostgres();

/** Listens as a server would. @returns its folder. */
async function listen(t: TestContext, serve: (client: Socket) => void): Promise<string> {
  const dir = tempDir(t);
  const clients = new Set<Socket>();
  const proxy = createServer((client) => {
    clients.add(client.on("error", () => {}));
    serve(client);
  });
  await new Promise<void>((resolve) => proxy.listen(path.join(dir, ".s.PGSQL.5432"), resolve));
  onEnd(t, async () => {
    for (const client of clients) client.destroy();
    await new Promise((resolve) => proxy.close(resolve));
  });
  return dir;
}

test("a pooler is refused, though it passes everything on to a server", { skip }, async (t) => {
  const server = await serverWithLedger(t, {});
  const host = await listen(t, (client) => {
    const behind = connectTo(path.join(server.socketDir, ".s.PGSQL.5432"));
    behind.on("error", () => client.destroy()).on("close", () => client.destroy());
    client.on("close", () => behind.destroy());
    client.pipe(behind);
    behind.on("data", (data) => {
      // BackendKeyData: type, length, process, secret. A pooler gives its own, since the process may change.
      const at = data.indexOf(Buffer.from([0x4b, 0, 0, 0, 12]));
      if (at !== -1) data.writeUInt32BE(data.readUInt32BE(at + 5) ^ 0x5555, at + 5);
      client.write(data);
    });
  });
  const ctx = context(writerOptions(server, { host }));
  await assert.rejects(writer.identify(ctx), { code: "PG_POOLER", message: /a connection pooler answers/ });
  await leavesNothing(server);
});

test("a pooler that does not know a parameter is called one", { skip }, async (t) => {
  const fields = "SFATAL\0VFATAL\0C08P01\0Munsupported startup parameter: options\0\0";
  const length = Buffer.alloc(4);
  length.writeUInt32BE(4 + fields.length);
  const host = await listen(t, (client) => {
    client.once("data", () => client.end(Buffer.concat([Buffer.from("E"), length, Buffer.from(fields)])));
  });
  const server = { socketDir: host, port: 5432 } as Parameters<typeof writerOptions>[0];
  const hint = /Connect to the server itself/;
  await assert.rejects(writer.identify(context(writerOptions(server))), { code: "PG_POOLER", hint });
});

test("the replication slot is dropped with the backup, and not left to the end of a session", { skip }, async (t) => {
  const server = await serverWithLedger(t, {});
  const ctx = context(writerOptions(server));
  await takeSnapshot(t, ctx);
  assert.deepEqual(await server.query("SELECT slot_name FROM pg_replication_slots"), []);
  // As a pooler would keep it: a slot that belongs to no session.
  await server.query("SELECT pg_create_physical_replication_slot('holdstill_stayed', true)");
  const tx = { id: "stayed", cut: "fuzzy", components: [], sidecarDir: tempDir(t) } as const;
  await writer.abort(tx, null, ctx);
  await leavesNothing(server);
});

test("a wrong password from a .pgpass file says what the file must have", { skip }, async (t) => {
  const server = await serverWithLedger(t, {});
  await server.query("CREATE ROLE snap LOGIN PASSWORD 'right'");
  writeFileSync(path.join(server.dataDir, "pg_hba.conf"), "local all snap scram-sha-256\nlocal all all trust\n");
  await server.query("SELECT pg_reload_conf()");
  const passwordFile = path.join(tempDir(t), "pgpass");
  writeFileSync(passwordFile, "localhost:5432:*:snap:right\n", { mode: 0o600 });
  const ctx = context(writerOptions(server, { user: "snap", passwordFile }));
  await assert.rejects(writer.identify(ctx), { code: "PG_AUTH", hint: /\.pgpass/ });
});

test("a standby that takes no queries is not called down: the server's DETAIL is in the message", () => {
  const error = new DatabaseError("the database system is not accepting connections", 1, "error");
  Object.assign(error, { code: "57P03", detail: "Hot standby mode is disabled.", severity: "FATAL" });
  const server = { socketDir: "/run/x", port: 5432 } as Parameters<typeof writerOptions>[0];
  const { code, message, hint } = connectError(error, writerOptions(server));
  assert.equal(code, "PG_DOWN");
  assert.match(message, /Hot standby mode is disabled\./);
  assert.match(hint, /hot_standby = on/);
});
