/** Day one on real servers: `doctor` finds what is missing, `init` writes what fits. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { DoctorCheck } from "#core/base/schema/types.js";
import { findServers } from "#core/engine/setup/servers.js";
import { suggestedInstance } from "#core/host/manifest/suggestion.js";
import { bundledManifest } from "../support/fixture/bundled-manifest.js";
import { type CliRun, holdstill } from "../support/process/command-line.js";
import { onEnd } from "../support/process/on-end.js";
import { missingPostgres } from "../support/server/postgres-binaries.js";
import { startPostgres } from "../support/server/postgres-server.js";
import { scratch } from "../support/storage/scratch.js";
import { Scene } from "../support/fixture/scene.js";
import { tempDir } from "../support/storage/temp.js";
import { unprivileged } from "../support/process/unprivileged.js";

const checksOf = (ran: CliRun): DoctorCheck[] => (ran.json() as { checks: DoctorCheck[] }).checks;

test(
  "a server without a writer is found, init writes a config for it, and then its writer is shown",
  { skip: missingPostgres() },
  async (t) => {
    const dir = tempDir(t);
    const server = await startPostgres();
    onEnd(t, async () => await server.stop("immediate"));
    const file = path.join(dir, "etc/holdstill.yaml");
    const env = { HOLDSTILL_STATE_DIR: path.join(dir, "state"), HOLDSTILL_EXPOSE_DIR: path.join(dir, "exposed") };
    const about = (checks: DoctorCheck[]): DoctorCheck | undefined =>
      checks.find((check) => check.about === "servers" && check.found.includes(server.dataDir));

    const empty = path.join(dir, "empty.yaml");
    writeFileSync(empty, "plugins: []\n");
    const before = about(checksOf(await holdstill(["doctor", "--json", "--config", empty], { env })));
    assert.equal(before?.state, "note");
    assert.ok(before.found.includes(`pid ${server.pid}`));

    assert.equal((await holdstill(["init", "--config", file], { env })).exitCode, 2, "it asks first");
    const made = await holdstill(["init", "--config", file, "--yes"], { env });
    assert.equal(made.exitCode, 0, made.stderr);
    assert.ok(readFileSync(file, "utf8").includes(`host: "${server.socketDir}"`));
    assert.equal(
      (await holdstill(["init", "--config", file, "--yes"], { env })).exitCode,
      2,
      "a config is never changed",
    );

    const after = await holdstill(["doctor", "--config", file], { env });
    for (const line of after.stdout.split("\n")) assert.ok(line.length <= 80 || !line.includes(" ", 14), line);
    const found = about(checksOf(await holdstill(["doctor", "--json", "--config", file], { env })));
    assert.equal(found?.state, "good");
    assert.match(found.found, / is pg-/);
  },
);

const mysqld = "/usr/sbin/mariadbd";

test(
  "a MariaDB server is found by its process, with its socket, whatever that is called",
  { skip: existsSync(mysqld) ? false : "no mariadbd" },
  async (t) => {
    const user = unprivileged();
    const folder = scratch("my", user);
    onEnd(t, folder.remove);
    const data = path.join(folder.path, "data");
    mkdirSync(data);
    chownSync(data, user.uid, user.gid);
    const socket = path.join(folder.path, "socket");
    const args = [
      "--no-defaults",
      "--skip-grant-tables",
      "--skip-networking",
      `--datadir=${data}`,
      `--socket=${socket}`,
    ];
    const small = [
      `--tmpdir=${folder.path}`,
      "--innodb-buffer-pool-size=16M",
      `--pid-file=${path.join(folder.path, "pid")}`,
    ];
    const child = spawn(mysqld, [...args, ...small], { ...user, cwd: "/", stdio: "ignore" });
    onEnd(t, async () => await ended(child));
    while (!existsSync(socket)) {
      assert.equal(child.exitCode, null, "it ended");
      await sleep(50);
    }
    const manifest = bundledManifest("writer-mysql");
    const found = findServers([manifest]).find(({ server }) => server.pid === child.pid);
    assert.deepEqual([found?.server.dataDir, found?.server.sockets], [data, [socket]]);
    assert.deepEqual(suggestedInstance(manifest, found?.placeholders), {
      name: `mysql-${path.basename(folder.path).toLowerCase()}`,
      options: { socket },
    });
  },
);

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

test("errors in the config and a writer that fails are reported, and the exit code is 3", async (t) => {
  const stage = new Scene(t);
  const broken = path.join(stage.dir, "broken.yaml");
  writeFileSync(broken, "plugins:\n  - { use: writer-postgres, polcy: required }\n");
  const faulty = await holdstill(["doctor", "--json", "--config", broken]);
  assert.equal(faulty.exitCode, 3);
  assert.match(checksOf(faulty).find(({ about }) => about === "config")?.means ?? "", /broken\.yaml:2: /);

  const silent = await stage.run(["doctor"], { writer: { in: "identify", does: "throws" } });
  assert.equal(silent.exitCode, 3);
  assert.match(silent.stdout, /^✗ servers {4}writer `app` \(writer-that 1\.0\.0\) failed in identify/m);
  assert.match(silent.stdout, /^ +→ Ask it nicely\.$/m);
});

test("a state directory that is not writable is reported", async (t) => {
  if (process.getuid?.() !== 0) return t.skip("becoming another user needs root");
  const stage = new Scene(t);
  const { exitCode, json } = await asNobody(stage.configFile());
  assert.equal(exitCode, 3);
  assert.equal((json as { checks: DoctorCheck[] }).checks.find(({ about }) => about === "state")?.state, "bad");
});

async function asNobody(config: string): Promise<{ exitCode: number | null; json: unknown }> {
  const user = { uid: 65534, gid: 65534 };
  const env = { HOLDSTILL_STATE_DIR: "/usr/lib/holdstill-state" };
  const ran = await holdstill(["doctor", "--json", "--config", await readable(config)], { user, env });
  return { exitCode: ran.exitCode, json: ran.json() };
}

/** The folder of a test is its owner's alone. */
async function readable(config: string): Promise<string> {
  const { chmod } = await import("node:fs/promises");
  await chmod(path.dirname(config), 0o755);
  return config;
}
