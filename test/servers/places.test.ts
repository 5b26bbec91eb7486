/** Servers that `doctor` and `init` must name although their files are not where they usually are. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { DoctorCheck } from "#core/base/schema/types.js";
import { holdstill } from "../support/process/command-line.js";
import { onEnd } from "../support/process/on-end.js";
import { needsRoot } from "../support/process/as-user.js";
import { adopt as adoptFiles, startPostgres } from "../support/server/postgres-server.js";
import { missingPostgres } from "../support/server/postgres-binaries.js";
import { install, mariadb, missingServer, MysqlServer } from "../support/server/mysql-server.js";
import { scratch } from "../support/storage/scratch.js";
import { tempDir } from "../support/storage/temp.js";
import { unprivileged } from "../support/process/unprivileged.js";

const { uid, gid } = unprivileged();

async function found(t: TestContext, what: string): Promise<{ check: DoctorCheck | undefined; text: string }> {
  const env = { HOLDSTILL_STATE_DIR: tempDir(t) };
  const { checks } = (await holdstill(["doctor", "--json"], { env })).json() as { checks: DoctorCheck[] };
  const { text } = (await holdstill(["init", "--print", "--json"])).json() as { text: string };
  return { check: checks.find((one) => one.about === "servers" && one.found.includes(what)), text };
}

test(
  "a server in a container is named, and its block is a comment that says what its paths mean",
  { skip: needsRoot || missingPostgres() },
  async (t) => {
    const server = await startPostgres();
    onEnd(t, async () => await server.stop());
    await server.halt();
    // The folder has this path in the container alone.
    const inside = path.join(tempDir(t), "inside");
    mkdirSync(inside);
    execFileSync("chmod", ["755", path.dirname(inside)]);
    const become = ["setpriv", "--reuid", `${uid}`, "--regid", `${gid}`, "--clear-groups", "--"];
    const start = [
      path.join(server.bindir, "postgres"),
      "-D",
      inside,
      "-k",
      server.socketDir,
      "-c",
      "listen_addresses=",
    ];
    const script = 'mount --bind "$0" "$1"; shift; exec "$@"';
    const namespace = ["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc"];
    const args = [...namespace, "sh", "-euc", script, server.dataDir, inside, ...become, ...start];
    const child = spawn("unshare", args, { stdio: "ignore", cwd: "/" });
    onEnd(t, async () => {
      const over = once(child, "exit");
      child.kill("SIGKILL");
      await over;
    });
    while (!readdirSync(server.socketDir).includes(".s.PGSQL.5432")) await sleep(50);
    const { check, text } = await found(t, `${inside} of a container`);
    assert.equal(check?.state, "note");
    assert.match(check.means ?? "", /its paths are those of its container/);
    const block = text.slice(text.indexOf(`PostgreSQL in ${inside}`)).replaceAll(/\n *# ?/g, " ");
    assert.match(block, /It runs in a container: its paths and its sockets are not those of this machine/);
    assert.match(block, /^[^\n]*- use: writer-postgres/, "only a comment");
  },
);

test("a MariaDB whose system tablespace lies elsewhere is named", { skip: missingServer(mariadb) }, async (t) => {
  const folder = scratch("my", unprivileged());
  onEnd(t, folder.remove);
  const [dataDir, home] = [path.join(folder.path, "data"), path.join(folder.path, "home")];
  mkdirSync(home);
  adoptFiles(home);
  const settings = { "innodb-data-home-dir": home };
  install(mariadb, dataDir, settings);
  assert.ok(readdirSync(home).includes("ibdata1"));
  const server = new MysqlServer(mariadb, dataDir, settings);
  onEnd(t, async () => await server.stop());
  await server.start();
  const { check, text } = await found(t, dataDir);
  assert.ok(check?.found.includes(`pid ${server.pid}`));
  assert.ok(text.includes(`socket: "${server.socket}"`), text);
});
