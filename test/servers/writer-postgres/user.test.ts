/** The writer without root, on a server of the same user whose tablespace lies elsewhere. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import type { Report } from "holdstill/plugin";
import { readControl } from "@holdstill/writer-postgres/dist/control.js";
import { context } from "../../support/fixture/context.js";
import { onEnd } from "../../support/process/on-end.js";
import { missingPostgres } from "../../support/server/postgres-binaries.js";
import {
  exposed,
  journalElsewhere,
  serverWithLedger,
  takeCrashSnapshot,
  writerOptions,
} from "../../support/server/postgres-snapshot.js";
import { scratch } from "../../support/storage/scratch.js";
import { portrait } from "../../support/storage/tree.js";
import { unprivileged } from "../../support/process/unprivileged.js";

const user = unprivileged();
const mayUnshare = spawnSync("unshare", ["--user", "--map-root-user", "true"], { ...user, cwd: "/" }).status === 0;
const skip = missingPostgres() || (!mayUnshare && "ordinary users may make no user namespaces here");

test("an ordinary user recovers a snapshot with a tablespace, and its original is untouched", { skip }, async (t) => {
  const server = await serverWithLedger(t, {});
  const far = await journalElsewhere(t, server);
  const options = writerOptions(server);
  const snapshot = await takeCrashSnapshot(t, server, context(options));
  const shown = exposed(snapshot);
  await server.halt("immediate");
  const before = [server.dataDir, far].map(portrait);

  const folder = scratch("user", user);
  onEnd(t, folder.remove);
  const file = path.join(folder.path, "recover.mjs");
  writeFileSync(
    file,
    `const { default: writer } = await import(${JSON.stringify(import.meta.resolve("@holdstill/writer-postgres"))});
     const { context } = await import(${JSON.stringify(import.meta.resolve("../../support/fixture/context.js"))});
     const [tx, shown, options, dataDir] = ${JSON.stringify([snapshot.tx, shown, options, folder.path])};
     console.log(JSON.stringify(await writer.repair(tx, shown, context(options, { dataDir }))));`,
  );
  const report = JSON.parse(execFileSync(process.execPath, [file], { ...user, cwd: "/", encoding: "utf8" })) as Report;
  assert.equal(report.ok, true);
  assert.ok(Number(report.facts?.["redoBytes"]) > 0);
  assert.equal(readControl(path.join(shown.trees[0]?.path ?? "", "global/pg_control")).state, "shut down");
  assert.deepEqual([server.dataDir, far].map(portrait), before);
});
