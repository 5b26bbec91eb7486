/** What plugins learn of the set that they take part in. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import test from "node:test";
import type { TransactionResult } from "#core/engine/types.js";
import type { PluginOp } from "#core/host/isolation/operations.js";
import type { SetLabel } from "holdstill/plugin";
import { Scene } from "../support/fixture/scene.js";

interface Call {
  op: PluginOp;
  label?: SetLabel;
  freezeLimitMs?: number;
  freezeDeadline?: number;
}

function callsOf(folder: string): Call[] {
  const lines = readFileSync(path.join(folder, "calls.log"), "utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as Call).filter(({ op }) => op !== "identify" && op !== "match");
}

test("plugins learn the set's name, tags, host, and retention, and writers how long the freeze may last", async (t) => {
  const scene = new Scene(t);
  const begun = Date.now();
  const args = ["create", "writer:app", "--name", "nightly", "--tag", "job=7", "--retain-until", "30d", "--json"];
  const { set } = (await scene.run(args)).json() as TransactionResult;
  const { retainUntil } = set ?? {};
  assert.ok(Date.parse(retainUntil ?? "") > begun + 29 * 86_400_000, retainUntil);
  const label = { hostname: hostname(), name: "nightly", tags: { job: "7" }, retainUntil };
  for (const folder of [scene.app, scene.store])
    assert.deepEqual(
      callsOf(folder).map((call) => [call.op, call.label]),
      callsOf(folder).map(({ op }) => [op, label]),
    );

  const calls = callsOf(scene.app);
  // A fuzzy cut: the limit of the freeze and that of the copy.
  assert.equal(calls.find(({ op }) => op === "prepare")?.freezeLimitMs, 60_000);
  const { freezeDeadline = 0 } = calls.find(({ op }) => op === "freeze") ?? {};
  assert.ok(freezeDeadline > begun + 59_000 && freezeDeadline <= Date.now() + 60_000, String(freezeDeadline - begun));

  const refused = await scene.run(["delete", "nightly", "--yes"]);
  assert.equal(refused.exitCode, 3, refused.stderr);
  const audited = readFileSync(path.join(scene.dir, "state/audit.jsonl"), "utf8").trimEnd().split("\n");
  assert.deepEqual(
    audited.map((line) => (JSON.parse(line) as { action: string }).action),
    ["create", "retain"],
  );
});

test("what a set does not have is not in its label", async (t) => {
  const scene = new Scene(t);
  assert.equal((await scene.run(["create", "writer:app"])).exitCode, 0);
  assert.deepEqual(callsOf(scene.store)[0]?.label, { hostname: hostname() });
});
