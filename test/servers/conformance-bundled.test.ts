/** The plugins that come with holdstill pass the suite that vendors run. */
import assert from "node:assert/strict";
import path from "node:path";
import test from "node:test";
import { type CheckOptions, checkPlugin } from "holdstill/conformance";
import { loopFs } from "../support/storage/loop-device.js";
import { onEnd } from "../support/process/on-end.js";
import { missingPostgres } from "../support/server/postgres-binaries.js";
import { startPostgres } from "../support/server/postgres-server.js";
import { repository } from "../support/repository.js";

const plugin = (name: string): string => path.join(repository, "plugins", name);

/** The names of the checks that passed; the test fails where one did not. */
async function passedOf(name: string, options: CheckOptions = {}): Promise<string[]> {
  const { checks } = await checkPlugin(plugin(name), options);
  const failed = checks.filter(({ status }) => status === "failed");
  assert.deepEqual(failed, []);
  return checks.flatMap((check) => (check.status === "passed" ? [`${check.name} ${check.runtime ?? ""}`.trim()] : []));
}

test("provider-reflink conforms where it copies, as anybody can check", async () => {
  const passed = await passedOf("provider-reflink");
  assert.ok(passed.includes("snapshot-is-of-the-cut thread") && passed.includes("snapshot-is-of-the-cut process"));
});

test("provider-reflink conforms where it clones, on btrfs", async (t) => {
  const fs = loopFs(t, "btrfs");
  if (fs === null) return;
  const fixture = { setup: `mkdir -p ${fs}/one ${fs}/two`, targets: [`${fs}/one`, `${fs}/two`], watch: [fs] };
  const passed = await passedOf("provider-reflink", { fixture, runtimes: ["thread"] });
  assert.ok(passed.includes("leaves-no-file thread"));
});

/** What a node of the plugin's own folder runs against the server: it finds the plugin's `pg` there. */
const sql = (text: string): string =>
  `"$NODE" -e 'const { Client } = require("pg");
   const client = new Client({ host: process.env.PGHOST, user: "postgres", database: "postgres" });
   client.connect().then(() => client.query(process.argv[1])).then(() => client.end());' "${text}"`;

test("writer-postgres conforms, on a real server", { skip: missingPostgres() }, async (t) => {
  const server = await startPostgres({ config: { fsync: "off" } });
  onEnd(t, () => server.stop());
  const fixture = {
    options: { host: server.socketDir, port: server.port, checkpoint: "fast" },
    environment: { NODE: process.execPath, PGHOST: server.socketDir },
    loseFreeze: sql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'holdstill %' AND pid <> pg_backend_pid()",
    ),
    watch: [server.socketDir],
  };
  const passed = await passedOf("writer-postgres", { fixture });
  for (const runtime of ["thread", "process"])
    assert.ok(passed.includes(`thaw-tells-the-truth ${runtime}`), passed.join(", "));
});
