/** Plugins that lie, and state that somebody has tampered with: nothing is believed, nothing of somebody else's is touched. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { open } from "holdstill";
import type { TransactionResult, Leftover } from "#core/engine/types.js";
import { Journal } from "#core/store/journal.js";
import { stateDir } from "#core/store/state-directory.js";
import { Scene } from "../support/fixture/scene.js";

for (const lies of ["nothing", "another set", "another volume", "twice", "no date"]) {
  test(`a provider that seals ${lies} is named, and everything is undone`, async (t) => {
    const stage = new Scene(t);
    const ran = await stage.run(["create", "writer:app", "--json"], { provider: { lies } });
    const { error } = ran.json() as TransactionResult;
    assert.equal(ran.exitCode, 4, ran.stdout + ran.stderr);
    assert.equal(error?.code, "E_ANSWER_INVALID");
    assert.match(error?.message ?? "", /`store`/);
    assert.equal(stage.isFrozen(), false);
    assert.deepEqual(stage.stored(), []);
  });
}

test("recover never touches a snapshot of a set that was not made here", async (t) => {
  const stage = new Scene(t);
  const foreign = { id: "vg0/root-backup-of-alice", setId: "alice-manual", volumeId: "8:1" };
  const looked = await stage.run(["recover", "--dry-run", "--json"], { provider: { foreign } });
  assert.deepEqual((looked.json() as { leftovers: Leftover[] }).leftovers, []);
  await stage.run(["recover", "--yes"], { provider: { foreign } });
  assert.ok(!stage.calls("store").includes("remove"));
});

test("a snapshot whose transaction was ours and whose record is gone is found, and removed", async (t) => {
  const stage = new Scene(t);
  const holdstill = await open({ config: stage.configFile() });
  const { set } = await holdstill.create({ targets: ["writer:app"] });
  rmSync(path.join(stage.dir, "state/sets", set?.id ?? ""), { recursive: true });
  const left = await holdstill.leftovers();
  assert.deepEqual(
    left.map((one) => one.type),
    ["snapshot"],
  );
  assert.deepEqual((await holdstill.recover(left)).residue, []);
  assert.deepEqual(stage.stored(), []);
});

test("a damaged record of a set that is shown does not keep recover from the others", async (t) => {
  const stage = new Scene(t);
  const holdstill = await open({ config: stage.configFile() });
  const { set } = await holdstill.create({ targets: ["writer:app"] });
  await holdstill.expose("latest");
  mkdirSync(path.join(stage.dir, "exposed", set?.id ?? "", "0"), { recursive: true });
  writeFileSync(path.join(stage.dir, "state/sets", set?.id ?? "", "set.json"), "torn");
  assert.deepEqual(await holdstill.leftovers(), []);
});

test("a journal that somebody has tampered with stops nobody, and leads nowhere", async (t) => {
  const stage = new Scene(t);
  await stage.run(["create", "writer:app"]);
  const transactions = path.join(stage.dir, "state/transactions");
  const victim = path.join(stage.dir, "victim");
  mkdirSync(victim);
  const begun = {
    entry: "begun",
    version: 1,
    id: "../../victim",
    pid: 1,
    at: "",
    cut: "fuzzy",
    targets: [],
    enlisted: 7,
  };
  writeFileSync(path.join(transactions, "20260101-000000-000001.jsonl"), `null\n${JSON.stringify(begun)}\n`);
  writeFileSync(
    path.join(transactions, "20260101-000000-000002.jsonl"),
    `${JSON.stringify({ ...begun, enlisted: [] })}\n`,
  );
  const ran = await stage.run(["recover", "--yes"]);
  assert.equal(ran.exitCode, 6, "what they did is not known");
  assert.match(ran.stderr, /000001\.jsonl is damaged[^]*000002\.jsonl is damaged/);
  assert.ok(existsSync(victim));
  assert.equal((await stage.run(["create", "writer:app"])).exitCode, 0);
});

test("of two that change one set at a time the second is refused, and says why", async (t) => {
  const stage = new Scene(t);
  const holdstill = await open({ config: stage.configFile() });
  const { set } = await holdstill.create({ targets: ["writer:app"] });
  const lock = Journal.open(stateDir(path.join(stage.dir, "state")), set?.id ?? "");
  const refused = await stage.run(["delete", "latest", "--yes"]);
  assert.equal(refused.exitCode, 3, refused.stderr);
  assert.match(refused.stderr, /Another process is working on set/); // E_SET_BUSY
  lock?.close();
  assert.equal((await stage.run(["delete", "latest", "--yes"])).exitCode, 0);
  assert.deepEqual(stage.stored(), []);
});

test("a request that cannot be meant is refused before anything is planned", async (t) => {
  const stage = new Scene(t);
  const holdstill = await open({ config: stage.configFile() });
  const bad = [
    { targets: [] },
    { targets: [""] },
    { targets: ["writer:app"], name: "" },
    { targets: ["writer:app"], name: "x".repeat(129) },
    { targets: ["writer:app"], name: "latest" },
    { targets: ["writer:app"], name: "two\nlines" },
    { targets: ["writer:app"], tags: { k: "\u001b[8m" } },
  ];
  for (const request of bad)
    await assert.rejects(holdstill.create(request), { code: "E_USAGE" }, JSON.stringify(request));
  assert.deepEqual(stage.calls("app"), []);
});

test("a set whose process died just after its record was written is whole, and recover leaves it alone", async (t) => {
  const stage = new Scene(t);
  const holdstill = await open({ config: stage.configFile() });
  const { set } = await holdstill.create({ targets: ["writer:app"] });
  const journal = path.join(stage.dir, `state/transactions/${set?.id}.jsonl`);
  const lines = readFileSync(journal, "utf8").trim().split("\n");
  assert.match(lines.at(-1) ?? "", /"ended"/);
  writeFileSync(journal, `${lines.slice(0, -1).join("\n")}\n`);

  const left = await holdstill.leftovers();
  await holdstill.recover(left);
  assert.deepEqual(left, []);
  assert.deepEqual(stage.stored(), [set?.id]);
  assert.equal(holdstill.show("latest").id, set?.id);
});
