/** The writers that come with holdstill pass the suite that vendors run: those of programs, of units, and of MariaDB. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { type CheckOptions, checkPlugin } from "holdstill/conformance";
import { cgroupRoot, TestUnit } from "../support/process/cgroup.js";
import { install, mariadb, missingServer, MysqlServer } from "../support/server/mysql-server.js";
import { onEnd } from "../support/process/on-end.js";
import { scratch } from "../support/storage/scratch.js";
import { tempDir } from "../support/storage/temp.js";
import { unprivileged } from "../support/process/unprivileged.js";
import { repository } from "../support/repository.js";

/** Both runtimes must have passed these. */
async function conforms(name: string, options: CheckOptions, checks: readonly string[]): Promise<void> {
  const plugin = path.join(repository, "plugins", name);
  const report = await checkPlugin(plugin, options);
  assert.deepEqual(
    report.checks.filter(({ status }) => status === "failed"),
    [],
  );
  for (const runtime of options.runtimes ?? ["thread", "process"]) {
    const passed = report.checks.filter((check) => check.status === "passed" && check.runtime === runtime);
    const names = passed.map((check) => check.name);
    assert.deepEqual(
      checks.filter((check) => !names.includes(check)),
      [],
    );
  }
}

test("writer-exec conforms, with a hook as the QEMU guest agent calls it", async () => {
  const hook = `#!/bin/sh
case "$1" in
  freeze) until mkdir "$WORK/lock"; do sleep 0.01; done ;;
  thaw) if [ -d "$WORK/lock" ]; then rmdir "$WORK/lock"; fi ;;
esac`;
  const setup = `mkdir $WORK/data; date >$WORK/data/file
cat >$WORK/hook <<EOF
${hook.replaceAll("$1", "\\$1")}
EOF
printf '#!/bin/sh\\n[ -d %s ]\\n' $WORK/lock >$WORK/frozen
chmod 755 $WORK/hook $WORK/frozen`;
  const fixture = {
    options: { qemu: "$WORK/hook", check: ["$WORK/frozen"], paths: ["$WORK/data"], tolerates: "fuzzy" },
    setup,
    probe: "mkdir $WORK/lock && date >>$WORK/data/file && rmdir $WORK/lock",
    loseFreeze: "rmdir $WORK/lock",
    watch: ["$WORK"],
  };
  await conforms("writer-exec", { fixture }, ["freeze-holds", "thaw-tells-the-truth", "leaves-no-file"]);
});

const root = cgroupRoot();
const noGroups = root === null ? "needs control groups of version 2, and root" : false;

test("writer-systemd conforms, with a program in a real control group", { skip: noGroups }, async (t) => {
  const dir = tempDir(t);
  const data = path.join(dir, "data");
  mkdirSync(data);
  const unit = new TestUnit(t, root ?? "");
  // It writes when it is asked to, and says so by taking the question away.
  unit.start(t, "while :; do if [ -e ask ]; then date >>data/file; rm ask; fi; sleep 0.01; done", dir);
  const fixture = {
    options: { unit: unit.unit, paths: [data] },
    environment: { DIR: dir, GROUP: unit.dir },
    probe: "touch $DIR/ask; for n in $(seq 100); do [ -e $DIR/ask ] || exit 0; sleep 0.02; done; exit 1",
    loseFreeze: "echo 0 >$GROUP/cgroup.freeze",
  };
  await conforms("writer-systemd", { fixture }, ["freeze-holds", "thaw-tells-the-truth", "freeze-obeys-the-signal"]);
  assert.equal(unit.isFrozen(), false);
});

test(
  "writer-mysql conforms, on a real MariaDB whose tables need a lock",
  { skip: missingServer(mariadb) },
  async (t) => {
    const home = scratch("my", unprivileged());
    onEnd(t, () => home.remove());
    const dataDir = path.join(home.path, "data");
    install(mariadb, dataDir);
    const server = new MysqlServer(mariadb, dataDir);
    onEnd(t, () => server.stop());
    await server.start();
    await server.query("CREATE DATABASE books");
    await server.query("CREATE TABLE books.plain (id INT PRIMARY KEY) ENGINE=MyISAM");
    const fixture = {
      options: { socket: server.socket, repairMemoryMb: 64 },
      environment: { NODE: process.execPath, SOCKET: server.socket },
      probe: inServer('query("REPLACE books.plain VALUES (1)")'),
      loseFreeze: inServer(
        `query("SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID()")
        .then(([rows]) => Promise.all(rows.map(({ id }) => client.query("KILL " + id))))`,
      ),
      limitSeconds: 60,
    };
    const checks = ["freeze-holds", "thaw-tells-the-truth", "repair", "verify"];
    await conforms("writer-mysql", { fixture, runtimes: ["thread"] }, checks);
  },
);

/** A call of a client of mysql2, which the plugin has; run in the plugin's folder. */
const inServer = (call: string): string => `"$NODE" -e '
  const { createConnection } = require("mysql2/promise");
  createConnection({ user: "root", socketPath: process.env.SOCKET })
    .then((client) => client.${call}.finally(() => client.destroy()));'`;
