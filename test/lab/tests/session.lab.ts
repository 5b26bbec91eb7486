/** A day and a disaster, as a person sees them: each command as it is typed, and all that it says. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chownSync, existsSync, mkdirSync, symlinkSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { program } from "../../support/process/command-line.js";
import { verifyLedger } from "../../support/server/ledger.js";
import { onEnd } from "../../support/process/on-end.js";
import { debian15, missingPostgres } from "../../support/server/postgres-binaries.js";
import { loadOn, serverWithLedger } from "../../support/server/postgres-snapshot.js";
import { tempDir } from "../../support/storage/temp.js";
import { unprivileged } from "../../support/process/unprivileged.js";
import { VolumeGroup } from "../support/volume-group.js";

const bindir = existsSync(debian15) ? debian15 : undefined;
const skip = missingPostgres(bindir);

test("from doctor to a backup, by way of a disaster, to a database that has lost nothing", { skip }, async (t) => {
  const vg = new VolumeGroup(t, undefined, "vg0");
  vg.pool("pool", 700);
  const { mount } = vg.thin("pool", "pg", "ext4");
  const dataDir = path.join(mount, "main");
  mkdirSync(dataDir, { mode: 0o700 });
  chownSync(dataDir, unprivileged().uid, unprivileged().gid);
  const server = await serverWithLedger(t, {
    ...(bindir !== undefined && { bindir }),
    dataDir,
    config: { fsync: "on" },
  });
  const load = await loadOn(t, server);
  const before = vg.lvm("lvs", ["--noheadings", "-o", "name,origin", vg.name]);
  const type = terminal(t);

  // There is no config yet, and the server is not held still by anybody.
  type("holdstill doctor");
  type("holdstill init --config holdstill.yaml --yes");
  type("holdstill plan writer:pg-main --require application");
  type("restic init --quiet");
  await load.advance(200);
  const confirmed = load.acknowledged();
  type("holdstill run writer:pg-main --keep --name nightly -- restic backup /run/holdstill/root");
  type("holdstill list --usage");
  await load.stop();

  await server.halt("immediate");
  type(`rm -rf ${dataDir}`);
  type("holdstill restore nightly --dry-run");
  type("holdstill restore nightly --yes");
  await server.start();
  const client = await server.connect();
  onEnd(t, async () => await client.end());
  const { rowsChecked } = await verifyLedger(client, confirmed);
  assert.ok(rowsChecked >= 300, `${rowsChecked} rows`);

  type("holdstill verify nightly");
  type("holdstill delete nightly --yes");
  type("holdstill recover");
  assert.equal(vg.lvm("lvs", ["--noheadings", "-o", "name,origin", vg.name]), before);
});

/** A shell's prompt in an empty folder: runs a line, tells it with what came of it, and insists on how it ended. */
function terminal(t: TestContext): (line: string, exitCode?: number) => void {
  const folder = tempDir(t);
  const bin = path.join(folder, "bin");
  const work = path.join(folder, "work");
  for (const one of [bin, work]) mkdirSync(one);
  symlinkSync(program, path.join(bin, "holdstill"));
  const env = {
    PATH: `${bin}:${path.dirname(process.execPath)}:${process.env["PATH"]}`,
    HOME: folder,
    LANG: "C.UTF-8",
    HOLDSTILL_STATE_DIR: path.join(folder, "state"),
    RESTIC_REPOSITORY: path.join(folder, "backups"),
    RESTIC_PASSWORD: "a test",
  };
  return (line, exitCode = 0) => {
    const { stdout, status } = spawnSync("sh", ["-c", `${line} 2>&1`], { cwd: work, env, encoding: "utf8" });
    t.diagnostic(`$ ${line}\n${stdout}`);
    assert.equal(status, exitCode, `${line}\n${stdout}`);
  };
}
