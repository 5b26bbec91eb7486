/** Real restic and real borg in `holdstill run`, of a PostgreSQL under load: what they restore elsewhere opens, with all the money. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import type { SnapshotSet } from "#core/schema/types.js";
import { holdstill } from "../rig/cli.js";
import { verifyLedger } from "../rig/ledger.js";
import { onEnd } from "../rig/on-end.js";
import { adopt } from "../rig/postgres.js";
import { loadOn, quick, serverWithLedger } from "../rig/postgres-picture.js";
import { missingPostgres } from "../rig/postgres-binaries.js";
import { scratch } from "../rig/scratch.js";

interface Tool {
  name: string;
  env: Record<string, string>;
  init: string;
  /** In `holdstill run`; ROOT is the folder of the pictures. */
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

for (const { name } of tools("")) {
  const skip = process.getuid?.() === 0 ? missingPostgres() || missing(name) : "mounting needs root";
  test(
    `${name} backs a running PostgreSQL up by the same paths each time, and what it restores opens`,
    { skip },
    async (t) => {
      const folder = scratch("backup");
      onEnd(t, folder.remove);
      const tool = tools(path.join(folder.path, "repository")).find((one) => one.name === name);
      assert.ok(tool);
      const server = await serverWithLedger(t, {});
      const load = await loadOn(t, server);
      const config = path.join(folder.path, "holdstill.json");
      const options = { host: server.socketDir, port: server.port, checkpoint: "fast" };
      const places = { stateDir: path.join(folder.path, "state"), exposeDir: path.join(folder.path, "exposed") };
      writeFileSync(config, JSON.stringify({ ...places, plugins: [{ use: "writer-postgres", as: "pg", options }] }));
      const sh = (script: string, cwd: string): string =>
        execFileSync("sh", ["-euc", script], { cwd, env: { ...process.env, ...tool.env }, encoding: "utf8" });

      sh(tool.init, folder.path);
      let confirmed = load.acknowledged();
      for (const night of [1, 2]) {
        await load.advance(200);
        confirmed = load.acknowledged();
        const ran = await holdstill(["run", "writer:pg", "--config", config, "--", "sh", "-euc", tool.backup], {
          env: tool.env,
        });
        assert.equal(ran.exitCode, 0, `night ${night}: ${ran.stderr}`);
      }
      await load.stop();
      assert.equal((await holdstill(["list", "--quiet", "--config", config])).stdout, "");

      const restored = path.join(folder.path, "restored");
      mkdirSync(restored);
      sh(tool.restore, restored);
      const dataDir = path.join(folder.path, "data");
      assemble(path.join(restored, places.exposeDir, "root"), dataDir);
      adopt(dataDir);
      const second = await server.startOn(dataDir, quick);
      onEnd(t, async () => await second.stop("immediate"));
      await check(t, second, confirmed);
    },
  );
}

/** The picture, and what the writer left beside it, as the record says, make a data directory. */
function assemble(root: string, dataDir: string): void {
  const set = JSON.parse(readFileSync(path.join(root, ".holdstill/set.json"), "utf8")) as SnapshotSet;
  renameSync(path.join(root, set.components[0]?.component.paths[0] ?? ""), dataDir);
  cpSync(path.join(root, ".holdstill/sidecar/pg"), dataDir, { recursive: true });
}

async function check(
  t: TestContext,
  server: Awaited<ReturnType<typeof serverWithLedger>>,
  confirmed: Parameters<typeof verifyLedger>[1],
): Promise<void> {
  const client = await server.connect();
  onEnd(t, async () => await client.end());
  assert.ok((await verifyLedger(client, confirmed)).rowsChecked >= 400);
}

function missing(program: string): string | false {
  if (spawnSync(program, ["--version"]).error === undefined) return false;
  return process.env["CI"] === undefined ? `${program} is not installed` : false;
}
