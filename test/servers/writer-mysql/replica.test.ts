/** What a set's position is for, and how one connects from elsewhere than the socket. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import writer from "@holdstill/writer-mysql";
import { context } from "../../support/fixture/context.js";
import { verifyLedger } from "../../support/server/ledger.js";
import { MysqlFixture, leavesNothing, type Options, writerOptions } from "../../support/server/mysql-snapshot.js";
import { mariadb, mariadb11, missingServer, mysql9, type MysqlServer } from "../../support/server/mysql-server.js";
import { onEnd } from "../../support/process/on-end.js";
import { scratch } from "../../support/storage/scratch.js";

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

const ofMariadb = {
  settings: {},
  follow: (port: number, gtid: string) =>
    `SET GLOBAL gtid_slave_pos = '${gtid}';
     CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = ${port}, MASTER_USER = 'repl', MASTER_PASSWORD = 'r', MASTER_USE_GTID = slave_pos;
     START SLAVE`,
  promote: "STOP SLAVE; RESET SLAVE ALL",
  gtid: "SELECT @@global.gtid_current_pos AS gtid",
  source: "SELECT @@global.gtid_binlog_pos AS gtid",
};
const ways = [
  { flavour: mariadb, ...ofMariadb },
  { flavour: mariadb11, ...ofMariadb },
  {
    flavour: mysql9,
    settings: { "gtid-mode": "ON", "enforce-gtid-consistency": "ON" },
    follow: (port: number) =>
      `CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = ${port}, SOURCE_USER = 'repl', SOURCE_PASSWORD = 'r', SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1;
       START REPLICA`,
    promote: "STOP REPLICA; RESET REPLICA ALL",
    gtid: "SELECT @@global.gtid_executed AS gtid",
    source: "SELECT @@global.gtid_executed AS gtid",
  },
];

for (const { flavour, settings, follow, promote, gtid, source } of ways) {
  test(
    `${flavour.name}: a replica is built from a repaired snapshot by its own position, catches up, and may be promoted while frozen`,
    { skip: missingServer(flavour) },
    async (t) => {
      const port = await freePort();
      const bench = await MysqlFixture.lay(t, flavour, {
        settings: { ...settings, port, "bind-address": "127.0.0.1" },
      });
      const { server } = bench;
      await server.query("CREATE USER repl@'%' IDENTIFIED BY 'r'; GRANT REPLICATION SLAVE ON *.* TO repl@'%'");
      const load = await bench.load();
      const snapshot = await bench.take();
      const exposed = bench.expose(snapshot.clone);
      const report = await writer.repair?.(snapshot.tx, exposed, bench.ctx);
      await load.advance(100);
      await load.stop();
      if (flavour === mysql9) execFileSync("rm", ["-f", `${exposed.trees[0]?.path ?? ""}/auto.cnf`]);
      const replica = await bench.open(exposed, { ...settings, "server-id": 2, "relay-log": "relay" });
      const before = await replica.query(gtid);
      await replica.query(follow(port, String(report?.facts?.["gtid"])));
      const [goal] = await server.query<{ gtid: string }>(source);
      assert.notDeepEqual(before, [goal], "there is something to catch up with");
      await reaches(replica, gtid, goal?.gtid ?? "");
      const client = await replica.connect({ database: "books" });
      await verifyLedger(client, load.acknowledged());
      await client.end();

      const ctx = context(writerOptions(replica));
      const tx = { ...(await bench.begin()), components: await writer.identify(ctx) };
      assert.equal(tx.components[0]?.facts?.["role"], "replica");
      await writer.prepare?.(tx, ctx);
      const token = await writer.freeze(tx, ctx);
      await replica.query(promote);
      await replica.query("INSERT INTO books.journal VALUES (99, 1, 1, 2, 0)");
      const thaw = await writer.thaw(tx, token, ctx);
      assert.deepEqual(
        [thaw.uninterrupted, thaw.reason],
        [true, undefined],
        "a promotion changes no page, and ends no session",
      );
      const { role } = (await writer.seal?.(tx, ctx))?.facts ?? {};
      assert.equal(role, "replica", "as it was when the snapshot was begun");
      await leavesNothing(replica);
    },
  );
}

async function reaches(replica: MysqlServer, sql: string, goal: string): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    const [row] = await replica.query<{ gtid: string }>(sql);
    if (row?.gtid === goal) return;
    await sleep(50);
  }
  assert.fail(
    `the replica did not catch up: ${JSON.stringify(await replica.query(sql))} instead of ${goal}\n${replica.log()}`,
  );
}

test(
  "by TCP the server's certificate is checked, by its signature and its name",
  { skip: missingServer(mariadb) },
  async (t) => {
    const certificates = certify(t);
    const port = await freePort();
    const bench = await MysqlFixture.lay(t, mariadb, {
      settings: {
        port,
        "bind-address": "127.0.0.1",
        "ssl-cert": certificates.cert,
        "ssl-key": certificates.key,
        "require-secure-transport": "ON",
      },
    });
    const as = (given: Partial<Options>): ReturnType<typeof context<Options>> =>
      context(writerOptions(bench.server, { host: "localhost", port, ...given }));
    const [component] = await writer.identify(as({ caFile: certificates.ca }));
    assert.deepEqual(component?.paths, [bench.server.dataDir]);
    await assert.rejects(writer.identify(as({})), { code: "MYSQL_CONNECT", message: /certificate|self.signed/ });
    await assert.rejects(writer.identify(as({ caFile: certificates.ca, host: "127.0.0.1" })), {
      code: "MYSQL_CONNECT",
      message: /cannot be checked for the address/,
    });
    await assert.rejects(writer.identify(as({ tls: "off" })), { code: "MYSQL_AUTH" });
    await assert.rejects(writer.identify(as({ caFile: "/nowhere" })), { code: "MYSQL_FILE" });
    certificates.issue("elsewhere.example");
    await bench.server.query("FLUSH SSL");
    await assert.rejects(writer.identify(as({ caFile: certificates.ca })), {
      code: "MYSQL_CONNECT",
      message: /altname/,
    });
    await leavesNothing(bench.server);
  },
);

/** A certificate authority, and a certificate for localhost by it. */
function certify(t: TestContext): { ca: string; cert: string; key: string; issue: (name: string) => void } {
  const { path: dir, remove } = scratch("tls");
  onEnd(t, remove);
  const openssl = (...args: string[]): void => void execFileSync("openssl", args, { cwd: dir, stdio: "pipe" });
  const fresh = ["-newkey", "rsa:2048", "-nodes", "-days", "2"];
  openssl("req", "-x509", ...fresh, "-subj", "/CN=test ca", "-keyout", "ca.key", "-out", "ca.pem");
  openssl("req", ...fresh.slice(0, 3), "-subj", "/CN=server", "-keyout", "server.key", "-out", "server.csr");
  const issue = (name: string): void => {
    writeFileSync(path.join(dir, "names"), `subjectAltName=DNS:${name}\n`);
    const by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names"];
    openssl("x509", "-req", "-in", "server.csr", ...by, "-out", "server.pem");
  };
  issue("localhost");
  chmodSync(path.join(dir, "server.key"), 0o644);
  return { ca: path.join(dir, "ca.pem"), cert: path.join(dir, "server.pem"), key: path.join(dir, "server.key"), issue };
}
