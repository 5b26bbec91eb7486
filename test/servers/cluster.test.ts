/** PostgreSQL on one host, MariaDB on another, files on a third: one set of several hosts, of which every part opens. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, fsyncSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import type { ClusterSetDocument } from "#core/base/schema/types.js";
import { ClusterHost, joined } from "../support/cluster/cluster-host.js";
import { EtcdServer, noEtcd } from "../support/cluster/etcd-server.js";
import type { CliRun } from "../support/process/command-line.js";
import { onEnd } from "../support/process/on-end.js";
import { unprivileged } from "../support/process/unprivileged.js";
import { install, mariadb, missingServer, MysqlServer } from "../support/server/mysql-server.js";
import { missingPostgres } from "../support/server/postgres-binaries.js";
import { adopt, type PostgresServer, startExisting, startPostgres } from "../support/server/postgres-server.js";
import { quick } from "../support/server/postgres-snapshot.js";
import { scratch } from "../support/storage/scratch.js";

const skip = process.getuid?.() === 0 ? noEtcd || missingPostgres() || missingServer(mariadb) : "mounting needs root";
const bytes = 512 * 1024 * 1024;
const ROUNDS = 3;

/** Writes each number to the three hosts in turn, each time durably, until it is stopped. */
class NumberedWrites {
  last = 0;
  #isOn = true;
  readonly #done: Promise<void>;

  constructor(postgres: PostgresServer, mysql: MysqlServer, file: string) {
    this.#done = this.#run(postgres, mysql, file);
  }

  async stop(): Promise<void> {
    this.#isOn = false;
    await this.#done;
  }

  async #run(postgres: PostgresServer, mysql: MysqlServer, file: string): Promise<void> {
    const first = await postgres.connect();
    const second = await mysql.connect();
    const third = openSync(file, "w");
    while (this.#isOn) {
      const next = this.last + 1;
      await first.query(`INSERT INTO numbers VALUES (${next})`);
      await second.query(`INSERT INTO books.numbers VALUES (${next})`);
      writeSync(third, String(next).padStart(15, "0"), 0);
      fsyncSync(third);
      this.last = next;
    }
    closeSync(third);
    await first.end();
    await second.end();
  }
}

/** A copy of what is exposed, for a server that may write to it. */
function copyOf(t: TestContext, from: string): string {
  const folder = scratch("copy", unprivileged());
  onEnd(t, () => folder.remove());
  const to = path.join(folder.path, "data");
  execFileSync("cp", ["-a", from, to]);
  adopt(to);
  rmSync(path.join(to, "postmaster.pid"), { force: true });
  return to;
}

async function numbersIn(t: TestContext, [pg, my, files]: readonly string[]): Promise<number[]> {
  const postgres = await startExisting(copyOf(t, pg ?? ""));
  const [row] = await postgres.query<{ n: number }>("SELECT max(n) AS n FROM numbers");
  await postgres.stop();
  const mysql = new MysqlServer(mariadb, copyOf(t, my ?? ""));
  await mysql.start();
  const [other] = await mysql.query<{ n: number }>("SELECT max(n) AS n FROM books.numbers");
  await mysql.stop();
  return [row?.n ?? 0, other?.n ?? 0, Number(readFileSync(path.join(files ?? "", "number"), "utf8"))].map(Number);
}

test(
  "in a set over three hosts, the numbers of PostgreSQL, MariaDB, and files agree, and each server opens its part",
  { skip },
  async (t) => {
    const etcd = await EtcdServer.start(t);
    const cluster = { endpoints: [etcd.url], limits: { hold: "20s", pause: "1ms" } };
    const hosts: ClusterHost[] = [];
    for (const name of ["app1", "app2", "app3"]) hosts.push(await ClusterHost.make(t, name, { cluster, bytes }));
    const [first, second, third] = hosts;
    assert.ok(first && second && third);

    const postgres = await startPostgres({ dataDir: path.join(first.volume, "data"), config: quick });
    onEnd(t, () => postgres.stop("immediate"));
    await postgres.query("CREATE TABLE numbers (n integer)");
    install(mariadb, path.join(second.volume, "data"));
    const mysql = new MysqlServer(mariadb, path.join(second.volume, "data"));
    onEnd(t, () => mysql.stop());
    await mysql.start();
    await mysql.query("CREATE DATABASE books");
    await mysql.query("CREATE TABLE books.numbers (n integer) ENGINE=InnoDB");

    const options = { host: postgres.socketDir, port: postgres.port };
    const own = [{ use: "writer-postgres", as: "pg-main", options }];
    first.configure({ cluster: { ...cluster, allow: ["writer:pg-main"] }, plugins: own });
    const maria = [{ use: "writer-mysql", as: "maria", options: { socket: mysql.socket, user: "root" } }];
    second.configure({ cluster: { ...cluster, allow: ["writer:maria"] }, plugins: maria });
    await Promise.all(hosts.map((host) => host.serve()));
    await joined(hosts);

    const writes = new NumberedWrites(postgres, mysql, path.join(third.volume, "number"));
    onEnd(t, () => writes.stop());
    for (let round = 0; round < ROUNDS; round += 1) {
      const targets = ["app1=writer:pg-main", "app2=writer:maria", `app3=${third.volume}`];
      const made: CliRun = await first.run(["create", "--cluster", ...targets, "--json"]);
      assert.equal(made.exitCode, 0, made.stdout + made.stderr + hosts.map(({ log }) => log).join("\n"));
      const { set, instant, hosts: parts } = made.json() as ClusterSetDocument;
      assert.equal(instant, "atomic");
      assert.deepEqual(
        parts.map(({ host, consistency }) => [host, consistency]),
        [
          ["app1", "application"],
          ["app2", "application"],
          ["app3", "filesystem"],
        ],
      );
      const places = [postgres.dataDir, mysql.dataDir, third.volume];
      const shown = await Promise.all(hosts.map((host, at) => host.expose(set, places[at])));
      const [pg = 0, my = 0, file = 0] = await numbersIn(t, shown);
      assert.ok(pg >= my && my >= file && file >= pg - 1 && file > 0, `${pg} ${my} ${file} are not of one instant`);
      for (const host of hosts) {
        await host.run(["unexpose", set]);
        assert.equal((await host.run(["delete", set, "--yes"])).exitCode, 0);
      }
    }

    const denied = await first.run(["create", "--cluster", `app1=${first.volume}`, "--json"]);
    const refused = denied.json() as ClusterSetDocument;
    assert.equal(refused.error?.code, "E_CLUSTER_HOST");
    assert.match(refused.error?.message ?? "", /does not allow others to have .* captured/);
  },
);
