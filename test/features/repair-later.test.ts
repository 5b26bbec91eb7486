/** Repairs that are put off, or not made: `create --repair`, and `holdstill repair`. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import type { TransactionResult } from "#core/engine/types.js";
import type { Fault, Repair, SnapshotSet } from "#core/base/schema/types.js";
import { type CliRun, holdstill } from "../support/process/command-line.js";
import { withForks } from "../support/fixture/scene-with-forks.js";
import { Scene } from "../support/fixture/scene.js";

type Cli = (...args: string[]) => Promise<CliRun>;

async function done(cli: Cli, ...args: string[]): Promise<CliRun> {
  const ran = await cli(...args);
  assert.equal(ran.exitCode, 0, `${args.join(" ")}: ${ran.stdout}${ran.stderr}`);
  return ran;
}

const created = async (cli: Cli, ...options: string[]): Promise<SnapshotSet> => {
  const { set } = (await done(cli, "create", "writer:app", "--json", ...options)).json() as TransactionResult;
  assert.ok(set);
  return set;
};

const repairOf = ({ writers }: SnapshotSet): Repair | undefined => writers[0]?.repair;

const forks = ({ snapshots }: SnapshotSet): string[] =>
  snapshots.flatMap(({ snapshot: { id, of } }) => (of === undefined ? [] : [id]));

async function listed(cli: Cli): Promise<number> {
  const { providers } = (await done(cli, "providers", "--json")).json() as { providers: { snapshots: unknown[] }[] };
  return providers[0]?.snapshots.length ?? -1;
}

async function restored(stage: Scene, cli: Cli, to: string): Promise<string[]> {
  await done(cli, "restore", "latest", "--to", path.join(stage.dir, to), "--yes");
  return readdirSync(path.join(stage.dir, to, stage.app, "data"));
}

const repairs = (stage: Scene): number => stage.calls("app").filter((op) => op === "repair").length;

test("a repair that is put off is in the record, in the metrics, and not in what is restored; once made, it is", async (t) => {
  const stage = new Scene(t);
  const cli = withForks(stage, {});
  const set = await created(cli, "--repair", "later");
  assert.deepEqual(repairOf(set), { state: "pending", in: [] });
  assert.deepEqual([set.snapshots.length, set.consistency, repairs(stage)], [1, "application", 0]);
  assert.match((await done(cli, "show", "latest")).stdout, new RegExp(`app +not yet: \`holdstill repair ${set.id}\``));
  assert.match((await done(cli, "metrics")).stdout, /^holdstill_repairs_pending\{writer="app"\} 1$/m);
  assert.deepEqual(await restored(stage, cli, "before"), ["file"]);

  const repaired = (await done(cli, "repair", "latest", "--json")).json() as SnapshotSet;
  assert.deepEqual(repairOf(repaired), { state: "repaired", in: forks(repaired), facts: { trees: 1 } });
  assert.equal(forks(repaired).length, 1);
  assert.ok(!existsSync(path.join(stage.dir, "exposed", set.id)));
  assert.deepEqual(await restored(stage, cli, "after"), ["file", "repaired"]);
  assert.match((await done(cli, "repair", "latest")).stdout, /app +repaired/);
  assert.equal(repairs(stage), 1, "what is repaired is not repaired again");
  await done(cli, "delete", "latest", "--yes");
  assert.equal(await listed(cli), 0);
});

test("the config says when, the command line takes precedence, and a set that was never to be repaired can be", async (t) => {
  const stage = new Scene(t);
  const cli = withForks(stage, {}, { repair: "later" });
  assert.equal(repairOf(await created(cli))?.state, "pending");
  assert.match((await done(cli, "plan", "writer:app")).stdout, /snapshot repaired later/);
  assert.equal(repairOf(await created(cli, "--repair", "inline"))?.state, "repaired");
  assert.equal(repairOf(await created(cli, "--repair", "never")), undefined);
  assert.equal(repairOf((await done(cli, "repair", "latest", "--json")).json() as SnapshotSet)?.state, "repaired");
});

test("create reports a repair that it put off, and repair reports that a set has none", async (t) => {
  const stage = new Scene(t);
  const cli = withForks(stage, {});
  assert.match((await done(cli, "create", "writer:app", "--repair", "later")).stdout, /^Repaired\n +app +not yet: /m);
  const withoutRepair = withForks(stage, { repair: "none" });
  await done(withoutRepair, "create", "writer:app");
  assert.match((await done(withoutRepair, "repair", "latest")).stdout, /^No writer repairs snapshots of set /);
});

test("run --as-cut makes no repair that its command does not see", async (t) => {
  const stage = new Scene(t);
  withForks(stage, {});
  const config = path.join(stage.dir, "holdstill.json");
  const ran = await holdstill(["run", "writer:app", "--as-cut", "--config", config, "--", "true"]);
  assert.equal(ran.exitCode, 0, ran.stderr);
  assert.equal(repairs(stage), 0);
});

test("a repair that has failed can be made again, and what it has spoilt is gone", async (t) => {
  const stage = new Scene(t);
  await created(withForks(stage, {}), "--repair", "later");
  const failed = await withForks(stage, { unrepairable: "page 7 is torn" })("repair", "latest");
  assert.equal(failed.exitCode, 5, failed.stderr);
  assert.match(failed.stdout, /app +✗ failed +page 7 is torn/);
  const cli = withForks(stage, {});
  assert.deepEqual(await restored(stage, cli, "spoilt"), ["file"]);
  const repaired = (await done(cli, "repair", "latest", "--json")).json() as SnapshotSet;
  assert.deepEqual([repairOf(repaired)?.state, forks(repaired).length, await listed(cli)], ["repaired", 1, 2]);
});

test("a provider without forks is passed over: what was cut stays as it is", async (t) => {
  const stage = new Scene(t);
  const roles = { writer: { repair: "always" } };
  assert.equal((await stage.run(["create", "writer:app", "--repair", "later"], roles)).exitCode, 0);
  const ran = await stage.run(["repair", "latest"], roles);
  assert.equal(ran.exitCode, 5, ran.stderr);
  assert.match(ran.stdout, /app +not repaired +store makes no fork of a snapshot/);
  assert.equal(repairs(stage), 0);
});

test("an exposed set is not repaired: its readers would see it change", async (t) => {
  const stage = new Scene(t);
  const cli = withForks(stage, {});
  await created(cli, "--repair", "later");
  await done(cli, "expose", "latest");
  const ran = await cli("repair", "latest", "--json");
  assert.equal(ran.exitCode, 3, ran.stderr);
  assert.equal((ran.json() as { error: Fault }).error.code, "E_SET_EXPOSED");
  await done(cli, "unexpose", "latest");
  await done(cli, "repair", "latest");
});

for (const signal of ["SIGINT", "SIGKILL"] as const) {
  test(`after ${signal} in a repair what was cut is there, and the next repair or the deletion leaves no fork behind`, async (t) => {
    for (const next of ["repair", "delete"]) {
      const stage = new Scene(t);
      await created(withForks(stage, {}), "--repair", "later");
      const ended = await withForks(
        stage,
        { in: "repair", does: "hangs" },
        {},
        killedIn(stage, signal),
      )("repair", "latest");
      assert.equal(ended.exitCode === 0, false);
      const cli = withForks(stage, {});
      if (signal === "SIGINT") {
        assert.equal(ended.exitCode, 130, ended.stderr);
        assert.equal(await listed(cli), 1, "an interruption leaves no fork");
      }
      assert.deepEqual(await restored(stage, cli, "cut"), ["file"]);
      await done(cli, next, "latest", ...(next === "delete" ? ["--yes"] : []));
      assert.equal(await listed(cli), next === "delete" ? 0 : 2);
      await done(cli, "recover", "--yes");
      assert.deepEqual(exposedFolders(stage), []);
    }
  });
}

const exposedFolders = (stage: Scene): string[] => {
  const folder = path.join(stage.dir, "exposed");
  mkdirSync(folder, { recursive: true });
  return readdirSync(folder);
};

function killedIn(stage: Scene, signal: NodeJS.Signals): Parameters<typeof withForks>[3] {
  return {
    onStart: (child) => {
      const timer = setInterval(() => {
        if (!stage.calls("app").includes("repair")) return;
        clearInterval(timer);
        child.kill(signal);
      }, 10);
      child.once("exit", () => clearInterval(timer));
    },
  };
}
