/** Real restic and real borg in `holdstill run`, of servers under load: what they restore elsewhere opens, with all the money. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import type { SnapshotSet } from "#core/base/schema/types.js";
import { holdstill } from "../support/process/command-line.js";
import { verifyLedger } from "../support/server/ledger.js";
import type { LedgerLoad, LoadClient } from "../support/server/load.js";
import { MysqlFixture, configured } from "../support/server/mysql-snapshot.js";
import { mariadb, missingServer, MysqlServer } from "../support/server/mysql-server.js";
import { onEnd } from "../support/process/on-end.js";
import { adopt } from "../support/server/postgres-server.js";
import { loadOn, quick, serverWithLedger } from "../support/server/postgres-snapshot.js";
import { missingPostgres } from "../support/server/postgres-binaries.js";
import { scratch } from "../support/storage/scratch.js";
import { wholeMatrix } from "../support/whole-matrix.js";

interface Tool {
  name: string;
  env: Record<string, string>;
  init: string;
  /** In `holdstill run`; ROOT is the folder of the snapshots. */
  backup: string;
  /** In the folder that it is restored to. */
  restore: string;
}

const tools = (repository: string): Tool[] => [
  {
    name: "restic",
    env: { RESTIC_REPOSITORY: repository, RESTIC_PASSWORD: "a test", HOME: path.dirname(repository) },
    init: "restic init",
    backup: 'restic backup --quiet "$HOLDSTILL_ROOT"',
    restore: "restic restore --quiet latest --target .",
  },
  {
    name: "borg",
    env: { BORG_REPO: repository, BORG_BASE_DIR: path.dirname(repository) },
    init: "borg init --encryption none",
    backup: 'borg create "::$HOLDSTILL_SET" "$HOLDSTILL_ROOT"',
    restore: "borg extract ::$(borg list --short --last 1)",
  },
];

/** A server with a ledger that is written to, and a config whose writer for it is `db`. */
interface Served {
  load: LedgerLoad;
  config: string;
  /** A session of a server on a data directory that was restored. `sidecar`: what the writer left beside the snapshot. */
  readonly open: (dataDir: string, sidecar: string) => Promise<LoadClient>;
}

interface Engine {
  name: string;
  missing: string | false;
  serve(t: TestContext, folder: string): Promise<Served>;
}

const postgres: Engine = {
  name: "PostgreSQL",
  missing: missingPostgres(),
  async serve(t, folder) {
    const server = await serverWithLedger(t, {});
    const config = path.join(folder, "holdstill.json");
    const options = { host: server.socketDir, port: server.port, checkpoint: "fast" };
    const places = { stateDir: path.join(folder, "state"), exposeDir: path.join(folder, "exposed") };
    writeFileSync(config, JSON.stringify({ ...places, plugins: [{ use: "writer-postgres", as: "db", options }] }));
    return {
      load: await loadOn(t, server),
      config,
      async open(dataDir, sidecar) {
        cpSync(sidecar, dataDir, { recursive: true });
        adopt(dataDir);
        const second = await server.startOn(dataDir, quick);
        onEnd(t, async () => await second.stop("immediate"));
        return await second.connect();
      },
    };
  },
};

const mysql: Engine = {
  name: mariadb.name,
  missing: missingServer(mariadb),
  async serve(t) {
    const bench = await MysqlFixture.lay(t, mariadb);
    return {
      load: await bench.load(),
      config: configured(bench, {}, "image"),
      async open(dataDir) {
        adopt(dataDir);
        const second = new MysqlServer(mariadb, dataDir, { "log-bin": "bin", "server-id": 2 });
        onEnd(t, async () => await second.stop());
        await second.start();
        assert.doesNotMatch(second.log(), /crash/, "what was backed up was the repaired snapshot");
        return await second.connect({ database: "books" });
      },
    };
  },
};

const nights = [
  { engine: postgres, tool: "restic" },
  { engine: mysql, tool: "borg" },
  ...(wholeMatrix
    ? [
        { engine: postgres, tool: "borg" },
        { engine: mysql, tool: "restic" },
      ]
    : []),
];

for (const { engine, tool: name } of nights) {
  const skip = process.getuid?.() === 0 ? engine.missing || missing(name) : "mounting needs root";
  test(
    `${name} backs a running ${engine.name} up by the same paths each time, and what it restores opens`,
    { skip },
    async (t) => {
      const folder = scratch("backup");
      onEnd(t, folder.remove);
      const tool = tools(path.join(folder.path, "repository")).find((one) => one.name === name);
      assert.ok(tool);
      const { load, config, open } = await engine.serve(t, folder.path);
      const sh = (script: string, cwd: string): string =>
        execFileSync("sh", ["-euc", script], { cwd, env: { ...process.env, ...tool.env }, encoding: "utf8" });

      sh(tool.init, folder.path);
      let confirmed = load.acknowledged();
      for (const night of [1, 2]) {
        await load.advance(200);
        confirmed = load.acknowledged();
        const ran = await holdstill(["run", "writer:db", "--config", config, "--", "sh", "-euc", tool.backup], {
          env: tool.env,
        });
        assert.equal(ran.exitCode, 0, `night ${night}: ${ran.stderr}`);
      }
      await load.stop();
      assert.equal((await holdstill(["list", "--quiet", "--config", config])).stdout, "");

      const restored = path.join(folder.path, "restored");
      mkdirSync(restored);
      sh(tool.restore, restored);
      const { exposeDir } = JSON.parse(readFileSync(config, "utf8")) as { exposeDir: string };
      const root = path.join(restored, exposeDir, "root");
      const set = JSON.parse(readFileSync(path.join(root, ".holdstill/set.json"), "utf8")) as SnapshotSet;
      const dataDir = path.join(folder.path, "data");
      renameSync(path.join(root, set.components[0]?.component.paths[0] ?? ""), dataDir);
      const client = await open(dataDir, path.join(root, ".holdstill/sidecar/db"));
      onEnd(t, async () => await client.end());
      assert.ok((await verifyLedger(client, confirmed)).rowsChecked >= 400);
    },
  );
}

function missing(program: string): string | false {
  if (spawnSync(program, ["--version"]).error === undefined) return false;
  return process.env["CI"] === undefined ? `${program} is not installed` : false;
}
