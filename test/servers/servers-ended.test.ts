/**
 * A database server that is stopped, killed or restarted at each moment of a set that is made by the command line: the set says
 * `application` only of a snapshot that is, and else what was seen; the server is none the worse.
 */
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { TransactionResult } from "#core/engine/types.js";
import { type CliRun, holdstill } from "../support/process/command-line.js";
import { ImageVolume } from "../support/storage/image-volume.js";
import { MysqlFixture, leavesNothing as leftByMysql } from "../support/server/mysql-snapshot.js";
import { mariadb, missingServer } from "../support/server/mysql-server.js";
import { missingPostgres } from "../support/server/postgres-binaries.js";
import { leavesNothing as leftByPostgres, serverWithLedger } from "../support/server/postgres-snapshot.js";
import { pluginsThat } from "../support/fixture/misbehaving-plugins.js";
import { tempDir } from "../support/storage/temp.js";

/** A server on a volume that snapshots can be taken of. */
interface Served {
  readonly writer: object;
  readonly volume: ImageVolume;
  start(): Promise<void>;
  stop(): Promise<void>;
  kill(): Promise<void>;
  leavesNothing(): Promise<void>;
  /** What the writer says of a server that is not there, and of a session that is gone. */
  readonly codes: { readonly down: string; readonly lost: string };
}

const engines: { name: string; skip: string | false; serve: (t: TestContext) => Promise<Served> }[] = [
  {
    name: "PostgreSQL",
    skip: missingPostgres() || (process.getuid?.() !== 0 && "mounting needs root"),
    async serve(t) {
      const volume = new ImageVolume(t);
      const server = await serverWithLedger(t, { dataDir: path.join(volume.mount, "data") });
      return {
        writer: { use: "writer-postgres", options: { host: server.socketDir } },
        volume,
        start: async () => await server.start(),
        stop: async () => await server.halt("fast"),
        kill: async () => await server.halt("immediate"),
        leavesNothing: async () => await leftByPostgres(server),
        codes: { down: "PG_DOWN", lost: "PG_SESSION_LOST" },
      };
    },
  },
  {
    name: mariadb.name,
    skip: missingServer(mariadb),
    async serve(t) {
      const { server, volume } = await MysqlFixture.lay(t, mariadb);
      return {
        writer: { use: "writer-mysql", options: { socket: server.socket } },
        volume,
        start: async () => await server.start(),
        stop: async () => await server.halt("SIGTERM"),
        kill: async () => await server.halt("SIGKILL"),
        leavesNothing: async () => await leftByMysql(server),
        codes: { down: "MYSQL_DOWN", lost: "MYSQL_SESSION_LOST" },
      };
    },
  },
];

const ends: Record<string, (served: Served) => Promise<void>> = {
  "is stopped": async (served) => await served.stop(),
  "is killed": async (served) => await served.kill(),
  restarts: async (served) => {
    await served.stop();
    await served.start();
  },
};

/**
 * Sets of a server and of two applications, one that is frozen before it and thawed after it, and one the other way round: their
 * hooks are the moments between the server's own calls.
 */
class Gate {
  readonly #dir: string;
  readonly #config: string;

  constructor(t: TestContext, { volume, writer }: Served) {
    this.#dir = tempDir(t);
    // The server on a snapshot is another user.
    chmodSync(this.#dir, 0o755);
    const hook = path.join(this.#dir, "hook");
    const waits = `if [ -e ${this.#dir}/at-$1 ]; then mv ${this.#dir}/at-$1 ${this.#dir}/now; fi\nwhile [ -e ${this.#dir}/now ]; do sleep 0.02; done\n`;
    writeFileSync(hook, `#!/bin/sh\n${waits}`, { mode: 0o755 });
    const beside = (name: string, level: string): object => {
      const own = path.join(volume.mount, name);
      mkdirSync(own);
      const options = { paths: [own], level, freeze: [hook, `${name}-freeze`], thaw: [hook, `${name}-thaw`] };
      return { use: "writer-exec", as: name, options };
    };
    mkdirSync(volume.store, { recursive: true });
    const { mount, image, store } = volume;
    const document = {
      pluginPaths: [pluginsThat],
      stateDir: path.join(this.#dir, "state"),
      exposeDir: path.join(this.#dir, "exposed"),
      limits: { freeze: "40s", abort: "40s" },
      plugins: [
        { ...writer, as: "db" },
        beside("outer", "front-end"),
        beside("inner", "system"),
        { use: "provider-image", as: "images", options: { mount, image, store } },
      ],
    };
    this.#config = path.join(this.#dir, "holdstill.json");
    writeFileSync(this.#config, JSON.stringify(document));
  }

  /** Makes a set, and lets it happen at that moment, or before. */
  async run(moment: string | undefined, happens: () => Promise<void>): Promise<CliRun> {
    const now = path.join(this.#dir, "now");
    if (moment === undefined) await happens();
    else writeFileSync(path.join(this.#dir, `at-${moment}`), "");
    const args = ["create", "writer:db", "writer:outer", "writer:inner", "--json", "--config", this.#config];
    const state = { over: false };
    const made = holdstill(args).finally(() => (state.over = true));
    while (!state.over && !existsSync(now)) await sleep(20);
    if (existsSync(now)) await happens();
    rmSync(now, { force: true });
    return await made;
  }
}

/** When it happens, and what comes of the set. An image that was taken of a server which was not held is what a crash leaves. */
const moments: { when: string; at?: string; comes: (codes: Served["codes"], end: string) => string }[] = [
  {
    when: "before the plan",
    comes: ({ down }, end) => (end === "restarts" ? "application, frozen, repaired" : `aborted: ${down}`),
  },
  { when: "when it is prepared", at: "outer-freeze", comes: ({ lost }) => `aborted: ${lost}` },
  { when: "before the cut", at: "inner-freeze", comes: () => "filesystem, degraded, as it was cut" },
  { when: "after the cut", at: "inner-thaw", comes: () => "filesystem, degraded, as it was cut" },
  { when: "when it is thawed", at: "outer-thaw", comes: () => "application, frozen, repaired" },
];
const exitCodes: Readonly<Record<string, number>> = { application: 0, filesystem: 5, aborted: 4 };

function outcomeOf(made: CliRun): string {
  const { set, error, residue = [] } = made.json() as Partial<TransactionResult>;
  assert.deepEqual(residue, []);
  if (set === null || set === undefined) {
    const { pluginCode } = (error?.details ?? {}) as { pluginCode?: string };
    return `aborted: ${pluginCode}`;
  }
  const db = set.writers.find(({ by }) => by.instance === "db");
  if (db?.state === "degraded") assert.match(db.reason ?? "", /did not last until thaw: the session ended/);
  return `${set.consistency}, ${db?.state}, ${db?.repair?.state ?? "as it was cut"}`;
}

for (const { name, skip, serve } of engines) {
  test(`${name}: what is declared of a set whose server is stopped, is killed or restarts`, { skip }, async (t) => {
    const served = await serve(t);
    const gate = new Gate(t, served);
    for (const [end, happens] of Object.entries(ends)) {
      for (const { when, at, comes } of moments) {
        const made = await gate.run(at, async () => await happens(served));
        const outcome = outcomeOf(made);
        assert.equal(outcome, comes(served.codes, end), `it ${end} ${when}: ${made.stderr}`);
        assert.equal(made.exitCode, exitCodes[/^\w+/.exec(outcome)?.[0] ?? ""], `it ${end} ${when}`);
        if (end !== "restarts") await served.start();
        await served.leavesNothing();
      }
    }
  });
}
