/** How the command of `run` ended is kept, and a copy that is worth nothing does not count as a success. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import type { Plan } from "#core/plan/plan.js";
import type { RunResult } from "#core/engine/lease/run-command.js";
import type { DoctorCheck, Fault, PastTransaction, SnapshotSet } from "#core/base/schema/types.js";
import { canMount } from "#core/os/exec/mount-tree.js";
import { type CliRun, holdstill } from "../support/process/command-line.js";
import { Service } from "../support/process/service.js";
import { type Roles, Scene } from "../support/fixture/scene.js";

const nightly = (stage: Scene, script: string, roles: Roles = {}, more: string[] = []): Promise<CliRun> =>
  holdstill([
    "run",
    "writer:app",
    "--name",
    "nightly",
    ...more,
    "--config",
    stage.configFile(roles),
    "--",
    "sh",
    "-c",
    script,
  ]);

async function backups(stage: Scene): Promise<PastTransaction["backup"][]> {
  const { transactions } = (await stage.run(["history", "--json"])).json() as { transactions: PastTransaction[] };
  return transactions.map(({ backup }) => backup && { ...backup, at: "" });
}

for (const by of ["this process", "the service"] as const) {
  test(`the command's end is in history and metrics, and renews the time of success only if it was good; by ${by}`, async (t) => {
    const stage = new Scene(t);
    if (by === "the service") await Service.start(t, stage);
    assert.equal((await nightly(stage, "exit 3")).exitCode, 3);
    const failed = { succeeded: false, type: "copy", command: { exitCode: 3, signal: null }, at: "" } as const;
    assert.deepEqual(await backups(stage), [failed]);
    const { stdout } = await stage.run(["history", "--failed"]);
    assert.match(stdout, /created: application[^]*Z {2}the backup failed, the command ended with 3$/m);
    const before = (await stage.run(["metrics"])).stdout;
    assert.match(before, /^holdstill_run_last_exit_code\{name="nightly"\} 3$/m);
    assert.doesNotMatch(before, /run_last_success_timestamp_seconds/);

    assert.equal((await nightly(stage, "exit 0")).exitCode, 0);
    assert.deepEqual((await backups(stage))[1]?.succeeded, true);
    assert.equal((await nightly(stage, "kill -TERM $$")).exitCode, 143);
    assert.deepEqual((await backups(stage))[2]?.command, { exitCode: 143, signal: "SIGTERM" });
    const after = (await stage.run(["metrics"])).stdout;
    assert.match(after, /^holdstill_run_last_exit_code\{name="nightly"\} 143$/m);
    const at = /^holdstill_run_last_success_timestamp_seconds\{name="nightly"\} ([\d.]+)$/m.exec(after)?.[1];
    assert.ok(Math.abs(Number(at) - Date.now() / 1000) < 600, at);
  });
}

test("a refused run has its name in the history, and `complete` is recorded as well", async (t) => {
  const stage = new Scene(t);
  assert.equal((await nightly(stage, "true", {}, ["/no/such/folder"])).exitCode, 3);
  assert.equal((await stage.run(["create", "writer:app"])).exitCode, 0);
  await stage.run(["complete", "latest", "--failed"]);
  const { transactions } = (await stage.run(["history", "--json"])).json() as { transactions: PastTransaction[] };
  assert.deepEqual(
    transactions.map(({ name, outcome, backup }) => [name, outcome, backup?.succeeded]),
    [
      ["nightly", "refused", undefined],
      [undefined, "created", false],
    ],
  );
});

for (const by of ["this process", "the service"] as const) {
  test(`a snapshot that is lost while the command reads it makes the run fail, and the writers are told so; by ${by}`, async (t) => {
    const stage = new Scene(t);
    if (by === "the service") await Service.start(t, stage);
    const ran = await nightly(stage, `rm -r ${stage.store}/2*`, {}, ["--json", "--keep"]);
    assert.equal(ran.exitCode, 5, ran.stderr);
    const { command, error } = ran.json() as RunResult;
    assert.deepEqual([command?.exitCode, error?.code], [0, "E_SNAPSHOT_LOST"]);
    assert.equal((await backups(stage))[0]?.succeeded, false);
  });
}

const torn: Roles = { policy: "best-effort", writer: { tolerates: "point-in-time" } };

test("a copy of a writer's files at different moments is refused where the writer is a target, unless it is asked for", async (t) => {
  const stage = new Scene(t);
  const refused = await stage.run(["create", "writer:app"], torn);
  assert.equal(refused.exitCode, 3);
  assert.match(
    refused.stderr,
    /Consistency crash is required, but this plan can reach only none: .*\n.*--require none/,
  );
  const asked = await stage.run(["create", "writer:app", "--require", "none", "--json"], torn);
  assert.equal(asked.exitCode, 0, asked.stderr);
  assert.equal((asked.json() as { set: SnapshotSet }).set.consistency, "none");
  assert.equal((await stage.run(["create", path.join(stage.app, "data")], torn)).exitCode, 0, "a path is only a path");
  const { stdout } = await stage.run(["history", "--last", "1"]);
  assert.match(stdout, /created: none/);
});

test("a best-effort writer that is a target is required where nothing else makes its data consistent", async (t) => {
  const stage = new Scene(t);
  const { writers } = (await stage.run(["plan", "writer:app", "--json"], { policy: "best-effort" })).json() as Plan;
  assert.deepEqual(
    writers.map(({ policy }) => policy),
    ["required"],
  );
  const throws: Roles = { policy: "best-effort", writer: { in: "freeze", does: "throws" } };
  assert.equal((await stage.run(["create", "writer:app"], throws)).exitCode, 4);
  assert.equal((await stage.run(["create", "writer:app", "--require", "none"], throws)).exitCode, 0);
});

test("a required writer that is down stops its own backup, and not that of another one", async (t) => {
  const stage = new Scene(t);
  const other = new Scene(t);
  const file = stage.configFile();
  const config = JSON.parse(readFileSync(file, "utf8")) as { plugins: object[] };
  const down = { app: other.app, in: "identify", does: "throws" };
  config.plugins.push({ use: "writer-that", as: "down", policy: "required", options: down });
  writeFileSync(file, JSON.stringify(config));
  const create = (...targets: string[]): Promise<CliRun> =>
    holdstill(["create", ...targets, "--json", "--config", file]);
  const good = await create("writer:app");
  assert.equal(good.exitCode, 0, good.stdout);
  const { set } = good.json() as { set: SnapshotSet };
  assert.deepEqual(
    set.writers.map(({ by, state, policy }) => [by.instance, state, policy]),
    [
      ["app", "frozen", "required"],
      ["down", "left-out", "required"],
    ],
  );
  assert.notEqual((await create("writer:app", "writer:down")).exitCode, 0);
  assert.notEqual((await create(path.join(stage.app, "data"))).exitCode, 0, "it may own data below a path");
});

test("doctor says what a writer's storage lacks, and which storage would do", async (t) => {
  const stage = new Scene(t);
  const lacking = await stage.run(["doctor"], torn);
  assert.equal(lacking.exitCode, 3);
  const words = lacking.stdout.replaceAll(/\s+/g, " ");
  assert.match(
    words,
    /✗ servers app\/app in \S+: store, copy the writer needs a snapshot of one instant: a copy made here is worth nothing/,
  );
  assert.match(words, /→ Move the data to .*LVM.* \(provider-lvm\)/);
  const slow = await stage.run(["doctor", "--json"]);
  const { checks } = slow.json() as { checks: DoctorCheck[] };
  assert.equal(checks.find(({ found }) => found.startsWith("app/app in "))?.state, "note");
});

test("two writers that report one database are refused, before anything is touched", async (t) => {
  const stage = new Scene(t);
  const file = stage.configFile({ writer: { kind: "database" } });
  const config = JSON.parse(readFileSync(file, "utf8")) as { plugins: object[] };
  config.plugins.push({ use: "writer-that", as: "shop", options: { app: stage.app, kind: "database" } });
  writeFileSync(file, JSON.stringify(config));
  const refused = await holdstill(["create", "writer:shop", "--json", "--config", file]);
  assert.deepEqual([refused.exitCode, (refused.json() as { error: Fault }).error.code], [3, "E_WRITERS_SHARE"]);
  assert.deepEqual(stage.stored(), []);
});

test("a process that the command leaves in the background is named: it reads nothing from then on", async (t) => {
  if (!canMount()) return t.skip("it needs a mount namespace");
  const stage = new Scene(t);
  const file = path.join(stage.dir, "pid");
  const started = "until read name < /proc/$!/comm && [ $name = sleep ]; do :; done";
  const ran = await nightly(stage, `sleep 300 >/dev/null 2>&1 & ${started}; echo $! > ${file}`);
  const pid = Number(readFileSync(file, "utf8"));
  process.kill(pid, "SIGKILL");
  assert.equal(ran.exitCode, 0, ran.stderr);
  const left = `sh has ended, and left sleep (process ${pid}). (E_COMMAND_LEFT)`;
  assert.ok(ran.stderr.includes(`holdstill: warning: ${left}`), ran.stderr);
  assert.doesNotMatch((await nightly(stage, "sleep 0 & wait")).stderr, /E_COMMAND_LEFT/);
});
