/** Transactions whose volumes the kernel holds: real file systems, through the real command line. */
import assert from "node:assert/strict";
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { TransactionResult } from "#core/engine/types.js";
import { holdstill, program } from "../support/process/command-line.js";
import { freeze, freezables, thaw } from "../support/storage/freezable.js";
import { monotonic, WriteProbe } from "../support/storage/write-probe.js";
import { type Roles, Scene } from "../support/fixture/scene.js";

/** A stage with file systems that are held while provider-that copies them. */
interface HeldScene {
  stage: Scene;
  mounts: string[];
  /** `delayMs`: how long the snapshot takes. */
  roles(delayMs: number, more?: Record<string, unknown>): Roles;
}

function scene(t: TestContext, count = 2): HeldScene | null {
  const mounts = freezables(t, count, ["ext4", "xfs", "btrfs"]);
  if (mounts === null) return null;
  for (const mount of mounts) writeFileSync(path.join(mount, "file"), "precious\n");
  const stage = new Scene(t);
  const roles = (delayMs: number, more = {}): Roles => ({
    limits: { hold: "15s", copy: "20s", freeze: "40s" },
    provider: { hold: mounts, pointInTime: true, in: "commit", does: "late", delayMs, ...more },
  });
  return { stage, mounts, roles };
}

/** For each mount, whether it was left frozen; then it is thawed. */
const leftFrozen = (mounts: readonly string[]): boolean[] => mounts.map((mount) => thaw(mount));

test("what the kernel holds is captured at one instant, flushed, and the record proves it", async (t) => {
  const s = scene(t);
  if (s === null) return;
  const scribes = s.mounts.map((mount) => new WriteProbe(t, mount));
  for (const scribe of scribes) await scribe.writesAfter(0);
  const ran = await s.stage.run(["create", ...s.mounts, "--json"], s.roles(400));
  assert.equal(ran.exitCode, 0, ran.stdout + ran.stderr);
  const { set, timeline } = ran.json() as TransactionResult;
  assert.equal(set?.cut, "atomic");
  assert.equal(set.consistency, "filesystem");
  assert.ok(set.hold !== undefined);
  const commit = timeline.find(({ op }) => op === "commit");
  assert.ok(commit && commit.to - commit.from >= 400);
  assert.deepEqual(
    set.hold.targets.map(({ target }) => target),
    s.mounts.map((mount) => ({ kind: "fs", mount })),
  );
  for (const { from, to } of set.hold.targets) assert.ok(from < commit.from && to > commit.to, "held throughout");
  for (const scribe of scribes) assert.ok((await scribe.writesAfter(monotonic())) > 0, "and it writes again");
  assert.deepEqual(leftFrozen(s.mounts), [false, false]);
});

test("a hold that another process ends early fails the set, and everything is undone", async (t) => {
  const s = scene(t);
  if (s === null) return;
  const running = s.stage.run(["create", "writer:app", ...s.mounts, "--json"], s.roles(1500));
  while (!s.stage.calls("store").includes("commit")) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(thaw(s.mounts[0] ?? ""), "it was held");
  const ran = await running;
  assert.equal(ran.exitCode, 4, ran.stdout + ran.stderr);
  const { error, residue } = ran.json() as TransactionResult;
  assert.equal(error?.code, "E_HOLD_LAPSED");
  assert.match(error.message, new RegExp(s.mounts[0] ?? ""));
  assert.deepEqual([residue, s.stage.stored(), s.stage.isFrozen()], [[], [], false]);
  assert.deepEqual(leftFrozen(s.mounts), [false, false]);
});

test("what another process has frozen is not captured, and stays frozen", async (t) => {
  const s = scene(t);
  if (s === null) return;
  const [first = "", second = ""] = s.mounts;
  assert.ok(freeze(second));
  const ran = await s.stage.run(["create", ...s.mounts, "--json"], s.roles(0));
  assert.equal((ran.json() as TransactionResult).error?.code, "E_FROZEN", ran.stdout);
  assert.deepEqual(leftFrozen([first, second]), [false, true]);
  assert.deepEqual(s.stage.stored(), []);
});

test("a snapshot that takes longer than the limit of the hold is abandoned in time", async (t) => {
  const s = scene(t, 1);
  if (s === null) return;
  const ran = await s.stage.run(["create", ...s.mounts, "--json"], {
    ...s.roles(30_000),
    limits: { hold: "600ms", abort: "5s" },
  });
  const { error, timeline } = ran.json() as TransactionResult;
  assert.equal(error?.code, "E_DEADLINE", ran.stdout + ran.stderr);
  assert.match(error.message, /did not finish commit/);
  const hold = timeline.find(({ actor }) => actor === "keeper");
  assert.ok(hold !== undefined && timeline.some(({ op, outcome }) => op === "hold" && outcome === "ok"));
  assert.deepEqual(leftFrozen(s.mounts), [false]);
});

for (const signal of ["SIGINT", "SIGKILL"] as const) {
  test(`${signal} while volumes are held leaves none of them held, and nothing that recover does not remove`, async (t) => {
    const s = scene(t);
    if (s === null) return;
    const scribes = s.mounts.map((mount) => new WriteProbe(t, mount));
    for (const scribe of scribes) await scribe.writesAfter(0);
    let killedAt = 0;
    const running = s.stage.run(["create", "writer:app", ...s.mounts, "--json"], s.roles(12_000), {
      onStart: (child) => {
        const timer = setInterval(() => {
          if (!s.stage.calls("store").includes("commit")) return;
          clearInterval(timer);
          killedAt = monotonic();
          child.kill(signal);
        }, 5);
        child.once("exit", () => clearInterval(timer));
      },
    });
    const ran = await running;
    for (const scribe of scribes) assert.ok((await scribe.writesAfter(killedAt)) - killedAt < 10_000);
    assert.deepEqual(leftFrozen(s.mounts), [false, false]);
    if (signal === "SIGINT") assert.equal(ran.exitCode, 130, ran.stdout + ran.stderr);
    else {
      const recovered = await s.stage.run(["recover", "--yes"]);
      assert.equal(recovered.exitCode, 0, recovered.stdout + recovered.stderr);
    }
    assert.deepEqual([s.stage.stored(), s.stage.isFrozen()], [[], false]);
  });
}

test("a log and a stderr on a held volume wait for the release, and lose nothing", async (t) => {
  const s = scene(t, 1);
  if (s === null) return;
  const [mount = ""] = s.mounts;
  const config = s.stage.configFile(s.roles(300));
  const settings = JSON.parse(readFileSync(config, "utf8")) as Record<string, unknown>;
  writeFileSync(config, JSON.stringify({ ...settings, log: { file: `${mount}/log`, level: "debug" } }));
  const stderr = openSync(`${mount}/stderr`, "w");
  const child = spawn(process.execPath, [program, "create", mount, "--config", config, "--verbose"], {
    stdio: ["ignore", "ignore", stderr],
  });
  closeSync(stderr);
  const [exitCode] = (await once(child, "exit")) as [number];
  const stderrText = readFileSync(`${mount}/stderr`, "utf8");
  assert.equal(exitCode, 0, stderrText);
  for (const phase of ["hold", "commit", "release"]) {
    assert.match(stderrText, new RegExp(`^${phase} `, "m"));
    assert.match(readFileSync(`${mount}/log`, "utf8"), new RegExp(`"message":"${phase}"`));
  }
});

test("a state directory on a volume that would be held is refused by plan, and nothing is touched", async (t) => {
  const s = scene(t, 1);
  if (s === null) return;
  const [mount = ""] = s.mounts;
  const state = path.join(mount, "state");
  mkdirSync(state, { mode: 0o700 });
  const config = s.stage.configFile(s.roles(0));
  const settings = JSON.parse(readFileSync(config, "utf8")) as Record<string, unknown>;
  writeFileSync(config, JSON.stringify({ ...settings, stateDir: state }));
  for (const command of ["plan", "create"]) {
    const ran = await holdstill([command, mount, "--json", "--config", config]);
    assert.equal(ran.exitCode, 3, ran.stdout);
    assert.match(ran.stdout, /"E_HOLD_REFUSED"/);
    assert.match(ran.stdout, /it carries holdstill's state directory/);
    assert.match(ran.stdout, /--include-root/);
  }
  assert.deepEqual(
    s.stage.calls("store").filter((op) => op !== "match"),
    [],
  );
});

test("a provider that does not hold what it promised is caught before anything is frozen", async (t) => {
  const s = scene(t, 1);
  if (s === null) return;
  const ran = await s.stage.run(["create", "writer:app", ...s.mounts, "--json"], s.roles(0, { lies: "unheld" }));
  assert.equal((ran.json() as TransactionResult).error?.code, "E_ANSWER_INVALID", ran.stdout);
  assert.equal(s.stage.calls("app").includes("freeze"), false);
});
