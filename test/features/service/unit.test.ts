/** The units that `serve --print-unit` prints, under a real systemd: in namespaces of its own, so that this machine's is not needed. */
import assert from "node:assert/strict";
import { chmodSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { SnapshotSet } from "#core/base/schema/types.js";
import { holdstill, program } from "../../support/process/command-line.js";
import { freezable, thaw } from "../../support/storage/freezable.js";
import type { ScriptResult } from "../../support/process/run-script.js";
import { monotonic, WriteProbe } from "../../support/storage/write-probe.js";
import { patientLimits, type Roles, Scene } from "../../support/fixture/scene.js";
import { Systemd } from "../../support/process/systemd.js";

const shorter = (text: string): string =>
  text.replace("--idle 10m", "--idle 3s").replace("WatchdogSec=60s", "WatchdogSec=3s");

/** As they are printed, but with times that a test can wait for. */
async function unitsFor(config: string): Promise<Record<string, string>> {
  const settings = JSON.parse(readFileSync(config, "utf8")) as { service: object };
  writeFileSync(config, JSON.stringify({ ...settings, service: { ...settings.service, group: "root" } }));
  const run = await holdstill(["serve", "--print-unit", "--json", "--config", config]);
  const { files } = run.json() as { files: Record<string, string> };
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [name, shorter(text)]));
}

async function booted(
  t: TestContext,
  stage: Scene,
  roles: Roles,
): Promise<{ systemd: Systemd; config: string } | null> {
  const config = stage.configFile(roles);
  const systemd = await Systemd.boot(t, stage.dir, await unitsFor(config), "holdstill.socket");
  return systemd === null ? null : { systemd, config };
}

const command = (systemd: Systemd, config: string, ...args: string[]): Promise<ScriptResult> =>
  systemd.run([process.execPath, program, ...args, "--json", "--config", config]);

test("the first who connects starts the unit, its hardening lets it hold a file system, and it leaves when it is idle", async (t) => {
  const stage = new Scene(t);
  const volume = freezable(t, "ext4", "volume");
  if (volume === null) return;
  writeFileSync(path.join(volume, "file"), "precious\n");
  const provider = { hold: [volume], pointInTime: true };
  const lab = await booted(t, stage, { limits: patientLimits, provider });
  if (lab === null) return;
  const { systemd, config } = lab;
  const socket = lstatSync(path.join(stage.dir, "hs.sock"));
  assert.deepEqual([socket.isSocket(), socket.mode & 0o777], [true, 0o660]);
  assert.deepEqual(await systemd.show("holdstill.service", "ActiveState"), ["inactive"]);

  const made = await command(systemd, config, "create", volume, "writer:app");
  assert.equal(made.exitCode, 0, made.stdout + made.stderr);
  const { set } = JSON.parse(made.stdout) as { set: SnapshotSet };
  assert.deepEqual([set.cut, set.hold?.targets.length, set.consistency], ["atomic", 1, "filesystem"]);
  assert.equal(set.requester?.executable, process.execPath, "it went by the service");
  assert.deepEqual(await systemd.show("holdstill.service", "ActiveState", "StatusText", "Type"), [
    "active",
    "listening at the socket of systemd",
    "notify",
  ]);

  await systemd.becomes("holdstill.service", "ActiveState", "inactive");
  assert.deepEqual(await systemd.show("holdstill.service", "Result", "NRestarts"), ["success", "0"]);
  assert.deepEqual(await systemd.show("holdstill.socket", "ActiveState"), ["active"]);
  const again = await command(systemd, config, "delete", set.id, "--yes");
  assert.equal(again.exitCode, 0, again.stderr);
  assert.deepEqual(stage.stored(), []);
});

test("the hardening does not keep a folder whose group is inherited from being copied as it is", async (t) => {
  const stage = new Scene(t);
  const config = stage.configFile({ limits: patientLimits });
  const settings = JSON.parse(readFileSync(config, "utf8")) as object;
  writeFileSync(config, JSON.stringify({ ...settings, plugins: [{ use: "provider-reflink" }] }));
  const shared = path.join(stage.dir, "shared");
  mkdirSync(shared);
  writeFileSync(path.join(shared, "program"), "#!/bin/sh\n");
  chmodSync(shared, 0o2775);
  chmodSync(path.join(shared, "program"), 0o4755);
  const systemd = await Systemd.boot(t, stage.dir, await unitsFor(config), "holdstill.socket");
  if (systemd === null) return;
  const made = await command(systemd, config, "create", shared);
  assert.equal(made.exitCode, 0, made.stdout + made.stderr);
  const { set } = JSON.parse(made.stdout) as { set: SnapshotSet };
  const exposed = await command(systemd, config, "expose", set.id);
  assert.equal(exposed.exitCode, 0, exposed.stdout + exposed.stderr);
  const tree = (JSON.parse(exposed.stdout) as SnapshotSet).exposed?.[0]?.exposed.trees[0]?.path ?? "";
  const modes = await systemd.run(["stat", "--format=%a", tree, path.join(tree, "program")]);
  assert.equal(modes.stdout, "2775\n4755\n", modes.stderr);
  assert.equal((await command(systemd, config, "delete", set.id, "--yes")).exitCode, 0);
});

test("a unit that hangs is ended by the watchdog, and the next one lets the application go on", async (t) => {
  const stage = new Scene(t);
  const lab = await booted(t, stage, {
    limits: patientLimits,
    writer: { in: "freeze", does: "late", delayMs: 20_000 },
  });
  if (lab === null) return;
  const { systemd, config } = lab;
  const asked = command(systemd, config, "create", "writer:app");
  while (!stage.isFrozen()) await sleep(50);
  await systemd.run(["systemctl", "kill", "--signal=SIGSTOP", "--kill-whom=main", "holdstill.service"]);
  const run = await asked;
  assert.equal((JSON.parse(run.stdout) as { error: { code: string } }).error.code, "E_SERVICE_LOST");
  await systemd.becomes("holdstill.service", "NRestarts", "1");
  await systemd.becomes("holdstill.service", "ActiveState", "active");
  assert.equal(stage.isFrozen(), false);
  assert.deepEqual(stage.stored(), []);
});

test("to stop the unit undoes what is under way", async (t) => {
  const stage = new Scene(t);
  const lab = await booted(t, stage, { limits: patientLimits, writer: { in: "freeze", does: "hangs" } });
  if (lab === null) return;
  const { systemd, config } = lab;
  const asked = command(systemd, config, "create", "writer:app");
  while (!stage.isFrozen()) await sleep(50);
  const stopped = await systemd.run(["systemctl", "stop", "holdstill.service"]);
  assert.equal(stopped.exitCode, 0, stopped.stderr);
  assert.deepEqual(await systemd.show("holdstill.service", "ActiveState", "Result"), ["inactive", "success"]);
  assert.equal(stage.isFrozen(), false);
  const run = await asked;
  assert.equal((JSON.parse(run.stdout) as { error: { code: string } }).error.code, "E_INTERRUPTED", run.stdout);
});

test("kill -9 of all that is in the unit does not take the keeper, which lets go; the next one undoes what was begun", async (t) => {
  const stage = new Scene(t);
  const volume = freezable(t, "ext4", "volume");
  if (volume === null) return;
  const provider = { hold: [volume], pointInTime: true, in: "commit", does: "late", delayMs: 20_000 } as const;
  const lab = await booted(t, stage, { limits: { ...patientLimits, hold: "30s" }, provider });
  if (lab === null) return;
  const { systemd, config } = lab;
  const scribe = new WriteProbe(t, volume);
  await scribe.writesAfter(0);
  const asked = command(systemd, config, "create", volume);
  while (!stage.calls("store").includes("commit")) await sleep(20);
  const scopes = await systemd.run(["systemctl", "list-units", "--type=scope", "--plain", "--no-legend"]);
  assert.match(scopes.stdout, /^holdstill-\S*\.scope/m, "the keeper has a scope of its own");
  const struck = monotonic();
  await systemd.run(["systemctl", "kill", "--signal=SIGKILL", "--kill-whom=all", "holdstill.service"]);
  const wrote = await scribe.writesAfter(struck, 8000);
  assert.ok(wrote - struck < 8000, "it is writable again");
  t.diagnostic(`writable ${(wrote - struck).toFixed(0)} ms after the word to kill`);
  assert.equal((JSON.parse((await asked).stdout) as { error: { code: string } }).error.code, "E_SERVICE_LOST");
  await systemd.becomes("holdstill.service", "NRestarts", "1");
  await systemd.becomes("holdstill.service", "ActiveState", "active");
  assert.equal(thaw(volume), false, "nothing is left frozen");
  assert.deepEqual(stage.stored(), []);
});
