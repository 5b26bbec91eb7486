/** `create --lease-stdin`: a set lives as long as the pipe on stdin. */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import type { SnapshotSet } from "#core/base/schema/types.js";
import { validate } from "#core/base/schema/validate.js";
import { program } from "../support/process/command-line.js";
import { onEnd } from "../support/process/on-end.js";
import { type Roles, Scene } from "../support/fixture/scene.js";
import { unwrapped } from "../support/process/unwrapped.js";

/** A command that has printed its set. */
async function leased(t: TestContext, stage: Scene, roles: Roles = {}): Promise<[ChildProcess, SnapshotSet]> {
  const args = ["create", "writer:app", "--lease-stdin", "--expose", "--json", "--config", stage.configFile(roles)];
  const child = spawn(process.execPath, [program, ...args], { stdio: ["pipe", "pipe", "inherit"] });
  onEnd(t, () => void child.kill("SIGKILL"));
  let text = "";
  for await (const chunk of child.stdout.setEncoding("utf8")) {
    text += chunk as string;
    if (text.endsWith("}\n")) break;
  }
  const checked = validate("snapshot-set", JSON.parse(text), "stdout");
  assert.ok(checked.ok, JSON.stringify(checked));
  return [child, checked.value];
}

async function leavesNothing(stage: Scene): Promise<void> {
  assert.deepEqual(stage.stored(), []);
  for (const folder of ["sets", "leases"]) assert.deepEqual(readdirSync(path.join(stage.dir, "state", folder)), []);
  assert.equal((await stage.run(["recover"])).stdout, "Nothing is left over.\n");
}

test("while the pipe is open the set can be read and is no leftover; when it closes the set goes", async (t) => {
  const stage = new Scene(t);
  const [child, set] = await leased(t, stage);
  const tree = set.exposed?.[0]?.exposed.trees[0]?.path ?? "";
  assert.equal(readFileSync(path.join(tree, "file"), "utf8"), "precious\n");
  assert.equal((await stage.run(["recover"])).stdout, "Nothing is left over.\n");
  assert.equal((await stage.run(["complete", set.id, "--succeeded"])).exitCode, 0, "others may use it");
  child.stdin?.end();
  const [exitCode] = (await once(child, "exit")) as [number | null];
  assert.equal(exitCode, 0);
  await leavesNothing(stage);
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  test(`${signal} ends the command with 130, and the set goes`, async (t) => {
    const stage = new Scene(t);
    const [child] = await leased(t, stage);
    child.kill(signal);
    const [exitCode] = (await once(child, "exit")) as [number | null];
    assert.equal(exitCode, 130);
    await leavesNothing(stage);
  });
}

test("after kill -9 of the command its set is a leftover, which the next create removes", async (t) => {
  const stage = new Scene(t);
  const [child, set] = await leased(t, stage);
  child.kill("SIGKILL");
  await once(child, "exit");
  const seen = await stage.run(["recover", "--dry-run"]);
  assert.match(
    unwrapped(seen.stdout),
    new RegExp(`delete set ${set.id} of .*, whose lease ended with process ${child.pid}`),
  );
  const [next, other] = await leased(t, stage);
  assert.deepEqual(stage.stored(), [other.id]);
  next.stdin?.end();
  await once(next, "exit");
  await leavesNothing(stage);
});

test("a set that another process deleted meanwhile is not an error", async (t) => {
  const stage = new Scene(t);
  const [child, set] = await leased(t, stage);
  assert.equal((await stage.run(["delete", set.id, "--yes"])).exitCode, 0);
  child.stdin?.end();
  const [exitCode] = (await once(child, "exit")) as [number | null];
  assert.equal(exitCode, 0);
  await leavesNothing(stage);
});

test("if the set cannot be removed at the end, the error is on stderr: stdout has the one document", async (t) => {
  const stage = new Scene(t);
  const ended = await stage.run(["create", "writer:app", "--lease-stdin", "--json"], {
    provider: { in: "remove", does: "throws" },
  });
  assert.equal((ended.json() as SnapshotSet).id, stage.recorded()[0]);
  assert.equal(ended.exitCode, 4);
  assert.match(ended.stderr, /provider `store` .* failed in remove/);
  assert.equal((await stage.run(["recover", "--yes"])).exitCode, 0);
  await leavesNothing(stage);
});
