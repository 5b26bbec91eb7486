/** Connections by TCP and TLS. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chownSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import writer from "@holdstill/writer-postgres";
import { context } from "../../support/fixture/context.js";
import { onEnd } from "../../support/process/on-end.js";
import { missingPostgres } from "../../support/server/postgres-binaries.js";
import { startPostgres } from "../../support/server/postgres-server.js";
import { writerOptions } from "../../support/server/postgres-snapshot.js";
import { scratch } from "../../support/storage/scratch.js";
import { unprivileged } from "../../support/process/unprivileged.js";

/** A port of this process's own, so that test files that run side by side do not meet. */
const port = 20_000 + (process.pid % 20_000);

test("TLS connects only to a server with a valid certificate for its name", { skip: missingPostgres() }, async (t) => {
  const folder = scratch("tls");
  onEnd(t, folder.remove);
  const script = `openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \\
    -keyout key -out cert 2>/dev/null; openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=other -keyout key2 -out other 2>/dev/null; chmod 600 key`;
  execFileSync("sh", ["-uc", script], { cwd: folder.path });
  const { uid, gid } = unprivileged();
  chownSync(path.join(folder.path, "key"), uid, gid);
  const [cert = "", key = "", other = ""] = ["cert", "key", "other"].map((name) => path.join(folder.path, name));
  const config = { ssl: "on", ssl_cert_file: cert, ssl_key_file: key, listen_addresses: "localhost" };
  const server = await startPostgres({ port, config });
  onEnd(t, async () => await server.stop("immediate"));
  const options = writerOptions(server, { host: "localhost", tls: "verify", caFile: cert });
  const [component] = await writer.identify(context(options));
  assert.equal(component?.facts?.["host"], "localhost");
  for (const wrong of [{ caFile: other }, { host: "127.0.0.1" }, { caFile: "/nowhere" }]) {
    await assert.rejects(writer.identify(context({ ...options, ...wrong })), { code: "PG_TLS" }, JSON.stringify(wrong));
  }
  const overSocket = { ...options, host: server.socketDir };
  await assert.rejects(writer.identify(context(overSocket)), { code: "PG_TLS" });
});
