/** What takes sets away, and what guards them: prune, delete, retain and the audit. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { open } from "holdstill";
import { Catalog } from "#core/store/catalog.js";
import { makeStateDir, stateDir, type StateDir } from "#core/store/state-directory.js";
import type { AuditLine, SnapshotSet } from "#core/base/schema/types.js";
import { validate } from "#core/base/schema/validate.js";
import { type CliRun, program } from "../support/process/command-line.js";
import { damage, emptySet } from "../support/fixture/set-record.js";
import { Scene } from "../support/fixture/scene.js";

/** A stage with a catalog of sets of these days of January; each is called after its day. */
async function calendar(
  t: TestContext,
  days: readonly number[],
): Promise<{ stage: Scene; state: StateDir; ids: string[] }> {
  const stage = new Scene(t);
  const state = stateDir(path.join(stage.dir, "state"));
  makeStateDir(state);
  const catalog = new Catalog(state);
  const ids: string[] = [];
  for (const day of days) {
    const date = `2026-01-${String(day).padStart(2, "0")}`;
    const id = `${date.replaceAll("-", "")}-120000-${String(day).padStart(6, "0")}`;
    await catalog.write({ ...emptySet(id, `day-${day}`), createdAt: `${date}T12:00:00.000Z` });
    ids.push(id);
  }
  return { stage, state, ids };
}

const noFaketime = spawnSync("faketime", ["--version"]).error === undefined ? false : "faketime is not installed";

const listed = async (stage: Scene): Promise<string[]> =>
  (await stage.run(["list", "--quiet"])).stdout.split("\n").filter((id) => id !== "");

function auditOf(state: StateDir): AuditLine[] {
  const lines = readFileSync(path.join(state.root, "audit.jsonl"), "utf8").trimEnd().split("\n");
  return lines.map((line) => {
    const checked = validate("audit", JSON.parse(line), "audit.jsonl");
    assert.ok(checked.ok, line);
    return checked.value;
  });
}

test("to delete a set that is gone by then is refused, and leaves no trace", async (t) => {
  const { stage, state, ids } = await calendar(t, [1]);
  const requester = await open({ config: stage.configFile() });
  assert.deepEqual(
    (await requester.removeAll([...ids, ...ids])).failed.map(({ error }) => error.code),
    ["E_SET_UNKNOWN"],
  );
  assert.deepEqual(readdirSync(state.transactions), []);
});

test("prune says why each set stays or goes, asks, deletes, and leaves a line of who did it", async (t) => {
  const { stage, state, ids } = await calendar(t, [1, 2, 3, 4, 5, 12]);
  const rules = ["prune", "--keep-daily", "2", "--keep-weekly", "2"];
  const dry = await stage.run([...rules, "--dry-run"]);
  assert.equal(dry.exitCode, 0);
  const words = dry.stdout
    .trimEnd()
    .split("\n")
    .map((line) => line.split(/\s+/)[0]);
  assert.deepEqual(words, ["delete", "delete", "delete", "delete", "keep", "keep"]);
  assert.match(dry.stdout, /daily 2026-01-05, weekly\s+2026-01-05$/m);
  for (const line of dry.stdout.split("\n")) assert.ok(line.length <= 80, line);
  assert.equal((await stage.run(rules)).exitCode, 2, "it does nothing without being told to");
  assert.deepEqual(await listed(stage), ids);

  const done = await stage.run([...rules, "--yes"]);
  assert.equal(done.exitCode, 0, done.stderr);
  assert.deepEqual(await listed(stage), ids.slice(4));
  assert.deepEqual(
    auditOf(state).map(({ action, set, uid }) => [action, set, uid]),
    ids.slice(0, 4).map((id) => ["delete", id, process.getuid?.()]),
  );
  assert.equal(
    (await stage.run([...rules, "--yes", "--json"])).stdout.replaceAll(/\s/g, ""),
    '{"deleted":[],"failed":[],"damaged":[]}',
  );
});

test("a set whose snapshot is gone takes the place of no other set, though its record does not know", async (t) => {
  const stage = new Scene(t);
  const made = async (name: string): Promise<string> =>
    (await stage.run(["create", stage.app, "--name", name, "--quiet"])).stdout.trim();
  const [good, lost] = [await made("good"), await made("lost")];
  rmSync(path.join(stage.store, lost), { recursive: true });
  const dry = await stage.run(["prune", "--keep-last", "1", "--dry-run"]);
  assert.match(dry.stdout, /^keep +\S+ +good +last\nkeep +\S+ +lost +last, flawed: a snapshot is lost\n$/);
  assert.equal((await stage.run(["prune", "--keep-last", "1", "--yes"])).exitCode, 0);
  assert.deepEqual(await listed(stage), [good, lost]);
});

test("a relative target is recorded in full, and prune tells two folders of the same name apart", async (t) => {
  const stage = new Scene(t);
  for (const folder of ["a", "b"]) {
    mkdirSync(path.join(stage.dir, folder, "data"), { recursive: true });
    const made = await stage.run(["create", "data", "--json"], {}, { cwd: path.join(stage.dir, folder) });
    const { set } = made.json() as { set: SnapshotSet };
    assert.deepEqual(set.targets, [path.join(stage.dir, folder, "data")]);
  }
  const { stdout } = await stage.run(["prune", "--keep-last", "1", "--dry-run"]);
  assert.doesNotMatch(stdout, /^delete/m);
});

test("without a rule, or with one that is none, prune does nothing", async (t) => {
  const { stage, ids } = await calendar(t, [1, 2]);
  for (const args of [[], ["--keep-last", "0"], ["--keep-daily", "all"], ["--keep-within", "2 days"]]) {
    const { exitCode } = await stage.run(["prune", ...args, "--yes"]);
    assert.equal(exitCode, 2, args.join(" "));
  }
  assert.deepEqual(await listed(stage), ids);
});

test("root's own sets stay when a user's sets of the same target and name are newer, and each command says whose it takes", async (t) => {
  const { stage, state } = await calendar(t, [1, 2, 3]);
  const catalog = new Catalog(state);
  const own = "20260101-130000-0000aa";
  await catalog.add(emptySet(own, "nightly"));
  const requester = { uid: 64_001, gid: 64_001, pid: 1 };
  const hers = [1, 2, 3].map((n) => `20260102-13000${n}-0000bb`);
  for (const id of hers) {
    const lease = { id: randomUUID(), pid: 1, since: "2026-01-02T13:00:00.000Z" };
    await catalog.add({ ...emptySet(id, "nightly"), requester, lease });
  }
  const dry = await stage.run(["prune", "--keep-last", "1", "--name", "nightly", "--dry-run"]);
  assert.match(dry.stdout, new RegExp(`^keep +${own} +nightly +last$`, "m"));
  assert.equal(((await stage.run(["show", "nightly", "--json"])).json() as SnapshotSet).id, own);
  for (const command of [["restore", "--dry-run"], ["expose"], ["complete", "--succeeded"], ["delete", "--yes"]]) {
    const [name = "", ...options] = command;
    const catalogued = new Catalog(state);
    await catalogued.remove(own);
    const refused = await stage.run([name, "nightly", ...options, "--json"]);
    assert.match(refused.stdout, /"E_SET_FOREIGN"/, name);
    assert.equal(refused.exitCode, 2);
  }
  assert.match((await stage.run(["list"])).stdout, / 64001 /);
});

test("one set of 2037 stops the rules of time, not the count; the operator deletes it, or trusts the clock", async (t) => {
  const { stage, ids, state } = await calendar(t, [1, 2, 3]);
  const wrong = "20370101-000000-000000";
  const catalog = new Catalog(state);
  const clockDoubt = { type: "forward", expected: "2026-01-03T12:00:00.000Z" } as const;
  await catalog.write({ ...emptySet(wrong), createdAt: "2037-01-01T00:00:00.000Z", sequence: 1, clockDoubt });
  const { id: newest } = await catalog.add({
    ...emptySet("20260104-000000-000000"),
    createdAt: "2026-01-04T00:00:00.000Z",
  });
  const rules = ["prune", "--keep-within", "7d", "--yes"];
  const refused = await stage.run(rules);
  assert.equal(refused.exitCode, 3);
  assert.match(refused.stderr, /E_CLOCK|judged by their times/);
  assert.ok(refused.stderr.includes(wrong));
  assert.deepEqual((await listed(stage)).toSorted(), [...ids, newest, wrong].toSorted());
  assert.equal(((await stage.run(["show", "latest", "--json"])).json() as SnapshotSet).id, newest);
  assert.equal(
    (await stage.run(["prune", "--keep-within", "7d", "--trust-clock", "--dry-run"])).exitCode,
    3,
    "still to come",
  );
  assert.equal((await stage.run(["delete", wrong, "--yes"])).exitCode, 0);
  assert.equal((await stage.run(rules)).exitCode, 0);
  assert.deepEqual(await listed(stage), [...ids, newest]);
});

test("a real set that is taken while the clock says 2037 is told from the others", { skip: noFaketime }, async (t) => {
  const stage = new Scene(t);
  const config = stage.configFile();
  const create = (...before: string[]): string => {
    const args = [...before, process.execPath, program, "create", "writer:app", "--config", config, "--json"];
    const { stdout, stderr } = spawnSync("env", args, { encoding: "utf8" });
    assert.match(stdout, /"id"/, stderr);
    return (JSON.parse(stdout) as { set: SnapshotSet }).set.id;
  };
  const first = create();
  const wrong = create("faketime", "2037-01-01 00:00:00");
  const last = create();
  const { sets } = (await stage.run(["list", "--json"])).json() as { sets: SnapshotSet[] };
  assert.deepEqual(
    sets.map(({ id, sequence, clockDoubt }) => [id, sequence, clockDoubt?.type]),
    [
      [first, 1, undefined],
      [wrong, 2, "forward"],
      [last, 3, undefined],
    ],
  );
  assert.equal((await stage.run(["prune", "--keep-within", "7d", "--yes"])).exitCode, 3);
  assert.equal((await stage.run(["delete", wrong, "--yes"])).exitCode, 0);
  assert.equal((await stage.run(["prune", "--keep-within", "7d", "--yes"])).exitCode, 0);
  assert.deepEqual(await listed(stage), [first, last]);
});

test("records that are damaged or foreign are reported, and never deleted", async (t) => {
  const { stage, state, ids } = await calendar(t, [1, 2]);
  const files = [
    damage(state, "20260101-000000-aaaaaa", "{ half"),
    damage(state, "20260101-000000-bbbbbb", JSON.stringify({ recordVersion: 2 })),
  ];
  const done = await stage.run(["prune", "--keep-last", "1", "--yes"]);
  assert.deepEqual([done.stdout, done.exitCode], [`Set ${ids[0]} is deleted.\n`, 0]);
  for (const file of files) assert.ok(existsSync(file) && done.stderr.includes(file));
  const seen = await stage.run(["list", "--quiet"]);
  assert.equal(seen.stdout, `${ids[1]}\n`);
  for (const file of files) assert.ok(seen.stderr.includes(file));
});

test("a retained set is not deleted before its date, unless the retention is ended, which is recorded", async (t) => {
  const { stage, state, ids } = await calendar(t, [1, 2]);
  const on = (...args: string[]): Promise<CliRun> => stage.run(args);
  const held = await on("retain", "day-1", "--until", "30d", "--json");
  const until = Date.parse((held.json() as SnapshotSet).retainUntil ?? "");
  assert.ok(Math.abs(until - Date.now() - 30 * 86_400_000) < 60_000);
  const refused = await on("delete", "day-1", "--yes");
  assert.equal(refused.exitCode, 3);
  assert.match(refused.stderr, /is retained until .*\n→ .*retain \S+ --until now --yes/);
  assert.match((await on("delete", "day-1", "--yes", "--json")).stdout, /"E_SET_RETAINED"/);
  assert.match((await on("prune", "--keep-last", "1", "--dry-run")).stdout, /^keep .* held until/m);
  assert.match((await on("show", "day-1")).stdout, /^Retained\n {2}until 20/m);

  assert.equal((await on("retain", "day-1", "--until", "now")).exitCode, 2, "an earlier date is asked about");
  assert.equal((await on("retain", "day-1", "--until", "someday")).exitCode, 2);
  assert.equal((await on("retain", "day-1", "--until", "now", "--yes")).exitCode, 0);
  assert.equal((await on("delete", "day-1", "--yes")).exitCode, 0);
  assert.deepEqual(await listed(stage), [ids[1]]);
  assert.deepEqual(
    auditOf(state).map(({ action }) => action),
    ["retain", "retain", "delete"],
  );
});
