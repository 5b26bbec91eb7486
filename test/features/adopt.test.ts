/** Snapshots in storage of which the state directory knows nothing, or the other way about. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import type { DoctorCheck, RecoverDocument, RemovalDocument, SnapshotSet } from "#core/base/schema/types.js";
import { Scene } from "../support/fixture/scene.js";

/** A set whose state directory is lost; its id. */
async function loseState(stage: Scene): Promise<string> {
  const created = await stage.run(["create", "writer:app", "--quiet"]);
  assert.equal(created.exitCode, 0, created.stderr);
  const [id = ""] = stage.recorded();
  rmSync(path.join(stage.dir, "state"), { recursive: true });
  return id;
}

test("recover and doctor name snapshots of a set that has no record, and recover leaves them alone", async (t) => {
  const stage = new Scene(t);
  const id = await loseState(stage);
  const { stdout, exitCode } = await stage.run(["recover", "--yes"]);
  assert.equal(exitCode, 0);
  assert.match(stdout, new RegExp(`${id}/0 of set ${id}`));
  assert.match(stdout, /holdstill recover --adopt/);
  assert.doesNotMatch(stdout, /Nothing is left over/);
  assert.deepEqual(stage.stored(), [id]);
  const { checks } = (await stage.run(["doctor", "--json"])).json() as { checks: DoctorCheck[] };
  const check = checks.find(({ remedy }) => remedy === "holdstill recover --adopt");
  assert.match(check?.found ?? "", new RegExp(id));
});

test("an adopted set can be restored and deleted as any other", async (t) => {
  const stage = new Scene(t);
  const id = await loseState(stage);
  const adopted = await stage.run(["recover", "--adopt", "--yes", "--json"]);
  const { done, residue } = adopted.json() as RecoverDocument;
  assert.deepEqual([done.map(({ type }) => type), residue], [["unrecorded"], []]);
  const set = (await stage.run(["show", id, "--json"])).json() as SnapshotSet;
  assert.equal(set.consistency, "crash");
  const data = path.join(stage.app, "data");
  rmSync(data, { recursive: true });
  const restored = await stage.run(["restore", id, "--yes"]);
  assert.equal(restored.exitCode, 0, restored.stderr);
  assert.equal(readFileSync(path.join(data, "file"), "utf8"), "precious\n");
  assert.equal((await stage.run(["delete", id, "--yes"])).exitCode, 0);
  assert.deepEqual(stage.stored(), []);
  assert.match((await stage.run(["recover"])).stdout, /Nothing is left over/);
});

test("while a journal cannot be read, recover ends with 6, doctor with 3, and both name it", async (t) => {
  const stage = new Scene(t);
  const journal = path.join(stage.dir, "state/transactions/20260102-030405-0000a1.jsonl");
  mkdirSync(path.dirname(journal), { recursive: true });
  for (const [line, code] of [
    ['{"entry":"begun","version":2,"id":"20260102-030405-0000a1"}', "E_TOO_NEW"],
    ['{"entry":"be\0\0n","version":1}', "E_JOURNAL_DAMAGED"],
  ] as const) {
    writeFileSync(journal, `${line}\n`);
    assert.equal((await stage.run(["recover", "--dry-run"])).exitCode, 6);
    const recovered = await stage.run(["recover", "--yes", "--json"]);
    assert.equal(recovered.exitCode, 6, recovered.stderr);
    const { leftovers, done, residue } = recovered.json() as RecoverDocument;
    assert.deepEqual([leftovers.map(({ type }) => type), done], [["unreadable"], []]);
    assert.equal(residue[0]?.error.code, code);
    assert.ok(residue[0].error.message.includes(journal));
    assert.equal(readFileSync(journal, "utf8"), `${line}\n`);
  }
  const { stdout, exitCode } = await stage.run(["doctor"]);
  assert.equal(exitCode, 3);
  assert.match(stdout.replaceAll(/\s+/g, " "), /✗ state The journal \S+ is damaged/);
});

test("a set of which storage does not know what was captured is not adopted, with the reason", async (t) => {
  const stage = new Scene(t);
  const id = "20260101-000000-00abcd";
  const provider = { foreign: { id: "vg0/other", setId: id, volumeId: "8:1" } };
  const ran = await stage.run(["recover", "--adopt", "--yes", "--json"], { provider });
  assert.equal(ran.exitCode, 6);
  const { residue } = ran.json() as RecoverDocument;
  assert.equal(residue[0]?.error.code, "E_NOT_ADOPTABLE");
  assert.deepEqual(stage.recorded(), []);
});

test("the record of a set that cannot be removed stays, until delete is told to forget it", async (t) => {
  const stage = new Scene(t);
  await stage.run(["create", "writer:app", "--quiet"]);
  const [id = ""] = stage.recorded();
  const provider = { in: "remove", does: "throws", when: "before" } as const;
  assert.equal((await stage.run(["delete", id, "--yes"], { provider })).exitCode, 4);
  assert.deepEqual(stage.recorded(), [id]);
  const ran = await stage.run(["delete", id, "--forget", "--yes", "--json"], { provider });
  assert.equal(ran.exitCode, 0, ran.stderr);
  const { forgotten = [], deleted } = ran.json() as RemovalDocument;
  assert.deepEqual([deleted, forgotten.map(({ set }) => set)], [[], [id]]);
  assert.deepEqual(stage.recorded(), []);
  assert.match((await stage.run(["recover", "--yes"])).stdout, /whose set was[^]*deleted/);
  assert.deepEqual(stage.stored(), []);
});
