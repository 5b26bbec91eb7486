/** `holdstill restore` and `revert`: data comes back whole, or nothing is changed. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync, chmodSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { SnapshotSet } from "#core/base/schema/types.js";
import { program } from "../support/process/command-line.js";
import { patientLimits, Scene } from "../support/fixture/scene.js";
import { unwrapped } from "../support/process/unwrapped.js";

interface Disaster {
  stage: Scene;
  id: string;
  data: string;
  before: string;
}

/** A set was made, and then the data was spoilt. */
async function disaster(t: TestContext): Promise<Disaster> {
  const stage = new Scene(t);
  const data = path.join(stage.app, "data");
  chmodSync(path.join(data, "file"), 0o640);
  const id = (await stage.run(["create", "writer:app", "--name", "good", "--quiet"])).stdout.trim();
  writeFileSync(path.join(data, "file"), "spoilt");
  return { stage, id, data, before: `${data}.before-${id}` };
}

const content = (dir: string): string => readFileSync(path.join(dir, "file"), "utf8");

test("a restore says what it would do, asks, puts the data back, keeps what was there, and lets the writer finish", async (t) => {
  const { stage, id, data, before } = await disaster(t);
  const dry = await stage.run(["restore", "good", "--dry-run"]);
  assert.equal(
    unwrapped(dry.stdout),
    `This would: copy the contents of ${data} (app/app) to ${data}, and keep the present data as ${before}\n`,
  );
  assert.equal((await stage.run(["restore", "good"])).exitCode, 2);
  assert.equal(content(data), "spoilt");

  const done = await stage.run(["restore", "good", "app", "--yes"]);
  assert.equal(done.exitCode, 0, done.stderr);
  assert.equal(done.stdout, `${data} is restored. The previous data is in ${before}.\n`);
  assert.deepEqual([content(data), content(before)], ["precious\n", "spoilt"]);
  assert.equal(readFileSync(path.join(data, "restored"), "utf8"), id);
  assert.deepEqual(stage.calls("app").slice(-2), ["beforeRestore", "afterRestore"]);
  assert.match(readFileSync(path.join(stage.dir, "state/audit.jsonl"), "utf8"), /"action":"restore"/);

  const again = await stage.run(["restore", "good", "--yes", "--json"]);
  assert.equal(again.exitCode, 3, "what an earlier restore put aside is not lost");
  assert.match(again.stdout, /"E_RESTORE"/);
});

test("nothing is restored over an application that runs", async (t) => {
  const { stage, data } = await disaster(t);
  writeFileSync(path.join(stage.app, "running"), "");
  for (const [command, option] of [
    ["restore", "--yes"],
    ["restore", "--dry-run"],
    ["revert", "--yes"],
  ] as const) {
    const refused = await stage.run([command, "good", option]);
    assert.equal(refused.exitCode, 4);
    assert.match(refused.stderr, /failed in beforeRestore: the application runs/);
  }
  assert.equal(content(data), "spoilt");
  assert.deepEqual(readdirSync(stage.app).toSorted(), ["calls.log", "data", "running"]);
});

test("data that is gone altogether comes back", async (t) => {
  const { stage, data } = await disaster(t);
  rmSync(data, { recursive: true });
  assert.equal((await stage.run(["restore", "good", "--yes"])).exitCode, 0);
  assert.equal(content(data), "precious\n");
});

test("with --to everything goes elsewhere as it was, with the record, and no writer is asked", async (t) => {
  const { stage, data } = await disaster(t);
  const to = path.join(stage.dir, "look");
  mkdirSync(to);
  const done = await stage.run(["restore", "good", "--to", to, "--yes"]);
  assert.equal(done.exitCode, 0, done.stderr);
  assert.equal(content(path.join(to, data)), "precious\n");
  assert.equal(statSync(path.join(to, data, "file")).mode & 0o777, 0o640);
  assert.ok(existsSync(path.join(to, ".holdstill/sidecar/app/notes.txt")));
  assert.equal(content(data), "spoilt");
  assert.ok(!stage.calls("app").includes("beforeRestore"));
  assert.equal((await stage.run(["restore", "good", "--to", to, "--yes"])).exitCode, 3, "nothing is overwritten");
});

test("a name that the set does not have, and a writer that cannot finish, are told", async (t) => {
  const { stage, data } = await disaster(t);
  const unknown = await stage.run(["restore", "good", "pg", "--yes"]);
  assert.equal(unknown.exitCode, 2);
  assert.match(unknown.stderr, /It has app\/app\./);
  const unfinished = await stage.run(["restore", "good", "--yes"], {
    writer: { in: "afterRestore", does: "throws", when: "before" },
  });
  assert.equal(unfinished.exitCode, 4);
  assert.match(unfinished.stderr, /^The data of app is in place, but the restore must be finished manually/m);
  assert.equal(content(data), "precious\n");
});

test("SIGINT while the copy is made: nothing is changed and nothing is left", async (t) => {
  const { stage, data, before } = await disaster(t);
  const config = stage.configFile({ provider: { in: "expose", does: "late", delayMs: 800 } });
  const child = spawn(process.execPath, [program, "restore", "good", "--yes", "--config", config], { stdio: "ignore" });
  while (!stage.calls("store").includes("expose")) await sleep(10);
  child.kill("SIGINT");
  const [exitCode] = (await once(child, "exit")) as [number | null];
  assert.equal(exitCode, 130);
  assert.equal(content(data), "spoilt");
  assert.ok(!existsSync(before));
  assert.deepEqual(readdirSync(stage.app).toSorted(), ["calls.log", "data"]);
  assert.equal((await stage.run(["recover"])).stdout, "Nothing is left over.\n");
});

test("revert has the storage put the volume back, after asking, and what was there is another set", async (t) => {
  const { stage, id, data } = await disaster(t);
  const asked = await stage.run(["revert", "good"]);
  assert.equal(asked.exitCode, 2);
  assert.match(asked.stderr, /everything written there since is lost/);
  assert.equal(content(data), "spoilt");
  const done = await stage.run(["revert", "good", "--yes"]);
  assert.equal(done.exitCode, 0, done.stderr);
  assert.equal(content(data), "precious\n");
  const safety = (await stage.run(["show", `before-revert-${id}`, "--json"])).json() as SnapshotSet;
  assert.match(done.stderr, new RegExp(`^The previous data is in set ${safety.id} \\(before-revert-${id}\\)\\.$`, "m"));
  assert.deepEqual([safety.consistency, safety.writers], ["crash", []]);
  assert.equal((await stage.run(["recover"])).stdout, "Nothing is left over.\n");
  const back = await stage.run(["revert", safety.id, "--yes", "--json"], { provider: { full: true } });
  assert.equal(back.exitCode, 0, back.stderr);
  assert.match(back.stdout, /"reason": \{\s+"code": "E_PLUGIN_FAILED"/);
  assert.equal(content(data), "spoilt");
  assert.deepEqual(stage.stored().toSorted(), [id, safety.id].toSorted(), "without room none is kept");
});

test("a set whose snapshot a revert has used up says so, is shown, verified and restored no more, and is deleted", async (t) => {
  const { stage, id, data } = await disaster(t);
  const provider = { merges: true };
  const done = await stage.run(["revert", "good", "--yes"], { provider });
  assert.equal(done.exitCode, 0, done.stderr);
  assert.equal(content(data), "precious\n");
  assert.match((await stage.run(["show", "good"])).stdout, /^Lost\n {2}\S+ {2}✗ lost {2}a revert has used it up/m);
  assert.match((await stage.run(["list"])).stdout, /^\S+ {2}good .* ✗ lost/m);
  assert.match((await stage.run(["show", id, "--usage"])).stdout, /✗ lost {2}a revert has used it up/);
  for (const command of [["expose"], ["verify"], ["restore", "--yes"], ["revert", "--yes"]]) {
    const refused = await stage.run([...command, "good", "--json"], { provider });
    assert.equal(refused.exitCode, 3, refused.stderr);
    assert.match(refused.stdout, /"code": "E_SNAPSHOT_LOST"/, command.join(" "));
  }
  assert.equal((await stage.run(["recover"])).stdout, "Nothing is left over.\n");
  assert.equal((await stage.run(["delete", "good", "--yes"])).exitCode, 0);
  assert.deepEqual(stage.recorded().length, 1, "what was there before is still a set");
});

test("nothing is reverted when what is there cannot be kept for another reason, and a dead process leaves it to recover", async (t) => {
  const { stage, id, data } = await disaster(t);
  const failed = await stage.run(["revert", "good", "--yes"], { provider: { in: "preserve", does: "throws" } });
  assert.equal(failed.exitCode, 4);
  assert.deepEqual([content(data), stage.stored()], ["spoilt", [id]]);
  const config = stage.configFile({ provider: { in: "preserve", does: "hangs" }, limits: patientLimits });
  const child = spawn(process.execPath, [program, "revert", "good", "--yes", "--config", config], { stdio: "ignore" });
  while (stage.stored().length < 2) await sleep(20);
  child.kill("SIGKILL");
  await once(child, "exit");
  const recovered = await stage.run(["recover", "--yes"]);
  assert.equal(recovered.exitCode, 0, recovered.stderr);
  assert.deepEqual([content(data), stage.stored()], ["spoilt", [id]]);
});
