/** What cannot be seen is not gone: storage that is away for a moment, and what is said and done of its snapshots. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import type { SnapshotSet } from "#core/base/schema/types.js";
import { type CliRun, holdstill } from "../support/process/command-line.js";
import { onEnd } from "../support/process/on-end.js";
import { patientLimits, Scene } from "../support/fixture/scene.js";

const roles = { limits: patientLimits };

/** A set of a storage that can be taken away. */
async function sceneWithSet(
  t: TestContext,
): Promise<{ scene: Scene; id: string; takeAway: (what: string) => void; giveBack: () => void }> {
  const scene = new Scene(t);
  await scene.run(["create", "writer:app", "--name", "one"], roles);
  const [id = ""] = scene.recorded();
  const file = `${scene.store}.away`;
  return { scene, id, takeAway: (what) => writeFileSync(file, what), giveBack: () => rmSync(file) };
}

test("while the storage is away, no command calls its snapshots lost or deleted, and each that fails has the next step", async (t) => {
  const { scene, id, takeAway, giveBack } = await sceneWithSet(t);
  for (const what of ["part", "all"]) {
    takeAway(what);
    const { sets } = (await scene.run(["list", "--usage", "--json"], roles)).json() as { sets: SnapshotSet[] };
    const [{ lost, unseen = "" } = {}] = sets.flatMap(({ snapshots }) => snapshots.map(({ snapshot }) => snapshot));
    assert.equal(lost, undefined);
    assert.match(unseen, what === "all" ? /array does not respond/ : /pool two/);
    const recovered = await scene.run(["recover", "--yes"], roles);
    assert.equal(recovered.exitCode, 6, "something may be left");
    assert.doesNotMatch(recovered.stdout, /Nothing is left/);
    assert.match(recovered.stderr, /may be left in the storage of store: run recover again/);
  }
  assert.match((await scene.run(["list", "--usage"], roles)).stdout, / \? unknown {2}/);
  const shown = await scene.run(["show", id, "--usage"], roles);
  assert.match(shown.stdout, /^Unknown\n {2}\S+ {2}\? unknown {2}provider `store` .*\n\s+could not see its storage/m);
  const metrics = (await scene.run(["metrics", "--usage"], roles)).stdout;
  assert.match(metrics, /^holdstill_snapshots_unseen\{provider="store"\} 1$/m);
  assert.equal((await scene.run(["recover", "--dry-run", "--json"], roles)).exitCode, 6);
  assert.equal((await scene.run(["providers"], roles)).exitCode, 4);
  assert.match((await scene.run(["doctor"], roles)).stdout, /could not see its\s+storage/);
  const { error } = (await scene.run(["expose", id, "--json"], roles)).json() as { error: { code: string } };
  assert.equal(error.code, "E_UNREACHABLE");
  const refused = await scene.run(["delete", id, "--yes"], roles);
  assert.equal(refused.exitCode, 4);
  assert.doesNotMatch(refused.stdout, /is deleted/);
  assert.match(refused.stderr, /is not deleted:\n.*array does not respond/);
  assert.match(refused.stderr, /→ Unmask the LUN\./);
  assert.deepEqual(scene.recorded(), [id]);
  giveBack();
  assert.match((await scene.run(["list", "--usage"], roles)).stdout, /writer:app/);
  assert.equal((await scene.run(["delete", id, "--yes"], roles)).exitCode, 0);
  assert.deepEqual(scene.stored(), []);
  assert.equal((await scene.run(["recover"], roles)).stdout, "Nothing is left over.\n");
});

test("a snapshot that was not seen when its set was deleted is removed by recover when it turns up", async (t) => {
  const { scene, id } = await sceneWithSet(t);
  const kept = path.join(scene.dir, "elsewhere");
  // As a provider that takes what it does not see for gone.
  renameSync(path.join(scene.store, id), kept);
  const deleted = await scene.run(["delete", id, "--yes"], roles);
  assert.equal(deleted.exitCode, 0, deleted.stderr);
  assert.match(deleted.stderr, new RegExp(`${id}/0 of set ${id} could not be seen before, and may still exist`));
  const before = await scene.run(["recover"], roles);
  assert.equal(before.exitCode, 0);
  assert.match(before.stdout, new RegExp(`not seen when their sets were deleted[^]*${id}/0 of store`));
  assert.doesNotMatch(before.stdout, /Nothing is left/);
  renameSync(kept, path.join(scene.store, id));
  const examined = (await scene.run(["doctor"], roles)).stdout;
  assert.match(examined, /a snapshot of a set that was deleted\s+while it could not be seen/);
  assert.match(examined, /→ holdstill recover$/m);
  assert.doesNotMatch((await scene.run(["recover", "--dry-run"], roles)).stdout, /--adopt/, "it is known whose it is");
  const { stdout, exitCode } = await scene.run(["recover", "--yes"], roles);
  assert.equal(exitCode, 0);
  assert.match(stdout, /Done: remove snapshot \S+ of store, made [^]*, whose set was deleted/);
  assert.deepEqual(scene.stored(), []);
  assert.deepEqual(readdirSync(path.join(scene.dir, "state/tombstones")), [], "settled");
  assert.equal((await scene.run(["recover"], roles)).stdout, "Nothing is left over.\n");
});

test("the snapshots of a set that was forgotten while its storage was away are removed when it is back", async (t) => {
  const { scene, id, takeAway, giveBack } = await sceneWithSet(t);
  takeAway("all");
  const forgotten = await scene.run(["delete", id, "--forget", "--yes"], roles);
  assert.match(forgotten.stderr, /is forgotten, and a snapshot of it may still exist/);
  assert.equal((await scene.run(["recover", "--yes"], roles)).exitCode, 6);
  assert.ok(existsSync(path.join(scene.dir, "state/tombstones", `${id}.json`)));
  giveBack();
  assert.equal((await scene.run(["recover", "--yes"], roles)).exitCode, 0);
  assert.deepEqual(scene.stored(), []);
});

test("a set of which a part could be deleted is never taken for whole, and goes when the rest of the storage is back", async (t) => {
  const two = await setOfTwoStores(t);
  if (two === null) return;
  const { scene, other, run } = two;
  writeFileSync(`${other.store}.away`, "all");
  assert.equal((await run("delete", "both", "--yes")).exitCode, 4);
  rmSync(`${other.store}.away`);
  const { sets } = (await run("list", "--json")).json() as { sets: SnapshotSet[] };
  const lost = sets[0]?.snapshots.map(({ by, snapshot }) => [by.instance, snapshot.lost]);
  assert.deepEqual(Object.fromEntries(lost ?? []), {
    store: "it was deleted with a part of its set",
    other: undefined,
  });
  assert.match((await run("prune", "--keep-last", "1", "--dry-run")).stdout, /flawed: a snapshot is lost/);
  const exposed = (await run("expose", "both", "--json")).json() as { error: { code: string } };
  assert.equal(exposed.error.code, "E_SNAPSHOT_LOST");
  assert.equal((await run("delete", "both", "--yes")).exitCode, 0);
  assert.deepEqual([scene.stored(), other.stored(), scene.recorded()], [[], [], []]);
});

test("delete reports why each snapshot could not be unexposed or removed, and removes none that may still be exposed", async (t) => {
  const two = await setOfTwoStores(t);
  if (two === null) return;
  const { scene, other, run, change } = two;
  change({ store: { in: "unexpose", does: "throws", when: "before" }, other: { in: "remove", does: "throws" } });
  const refused = await run("delete", "both", "--yes");
  assert.equal(refused.exitCode, 4, refused.stderr);
  assert.match(refused.stderr, /`store` .* failed in unexpose: the application said no/);
  assert.match(refused.stderr, /`other` .* failed in remove: the application said no/);
  assert.equal(refused.stderr.match(/is not deleted/g)?.length, 1);
  assert.equal(scene.stored().length, 1, "it may still be exposed");
  const forgotten = await run("delete", "both", "--forget", "--yes");
  assert.match(forgotten.stderr, /`store` .* failed in unexpose/);
  change({ store: {}, other: {} });
  assert.equal((await run("recover", "--yes")).exitCode, 0);
  assert.deepEqual([scene.stored(), other.stored()], [[], []]);
});

test("a snapshot whose provider hangs in unexpose does not keep the others of the set", async (t) => {
  const scene = new Scene(t);
  const shared = mkdtempSync("/dev/shm/holdstill-test-");
  onEnd(t, () => rmSync(shared, { recursive: true }));
  if (pointOf(shared) === pointOf(scene.dir)) return t.skip("/dev/shm is not a mount");
  assert.equal((await scene.run(["create", scene.app, shared], roles)).exitCode, 0);
  const [id = ""] = scene.recorded();
  const provider = { in: "unexpose", does: "hangs" } as const;
  const refused = await scene.run(["delete", id, "--yes", "--json"], { provider });
  const { failed } = refused.json() as { failed: { error: { code: string } }[] };
  assert.deepEqual(
    failed.map(({ error }) => error.code),
    ["E_DEADLINE", "E_DEADLINE"],
    "each was asked in a worker that works",
  );
});

test("if the provider cannot list before a removal that succeeds, delete reports why", async (t) => {
  const { scene, id } = await sceneWithSet(t);
  const provider = { in: "list", does: "throws" } as const;
  const deleted = await scene.run(["delete", id, "--yes"], { ...roles, provider });
  assert.equal(deleted.exitCode, 0, deleted.stderr);
  assert.match(deleted.stderr, /could not be seen before[^]*`store` .* failed in list: the application said no/);
  assert.deepEqual(scene.stored(), []);
});

/** A set `both` in two stores; null: this machine has no second mount for it, and the test is skipped. */
async function setOfTwoStores(t: TestContext): Promise<{
  scene: Scene;
  other: Scene;
  run: (...args: string[]) => Promise<CliRun>;
  /** Gives the providers of both stores other options from now on. */
  change: (options: { store: object; other: object }) => void;
} | null> {
  const [scene, other] = [new Scene(t), new Scene(t)];
  const shared = mkdtempSync("/dev/shm/holdstill-test-");
  onEnd(t, () => rmSync(shared, { recursive: true }));
  const file = scene.configFile(roles);
  const config = JSON.parse(readFileSync(file, "utf8")) as { plugins: { as: string; options: object }[] };
  const [store] = config.plugins.filter(({ as }) => as === "store");
  if (store === undefined || pointOf(shared) === pointOf(scene.dir)) {
    t.skip("/dev/shm is not a mount");
    return null;
  }
  const own = {
    store: { ...store.options, only: [pointOf(scene.dir)] },
    other: { store: other.store, only: [pointOf(shared)] },
  };
  const change = (options: { store: object; other: object }): void => {
    const plugins = [
      ...config.plugins.filter((one) => one !== store),
      { ...store, options: { ...own.store, ...options.store } },
      { ...store, as: "other", options: { ...own.other, ...options.other } },
    ];
    writeFileSync(file, JSON.stringify({ ...config, plugins }));
  };
  change({ store: {}, other: {} });
  const run = (...args: string[]): Promise<CliRun> => holdstill([...args, "--config", file]);
  const created = await run("create", path.join(scene.app, "data"), shared, "--name", "both");
  assert.equal(created.exitCode, 0, created.stderr);
  return { scene, other, run, change };
}

const pointOf = (dir: string): string => execFileSync("stat", ["-c", "%m", dir], { encoding: "utf8" }).trim();

test("a set that cannot be seen takes no sound set's place in prune, and one that fails to go is reported", async (t) => {
  const { scene, id, takeAway } = await sceneWithSet(t);
  await scene.run(["create", "writer:app", "--name", "two"], roles);
  takeAway("all");
  const dry = await scene.run(["prune", "--keep-last", "1", "--dry-run"], roles);
  assert.match(dry.stdout, new RegExp(`delete {2}${id}.*flawed: a snapshot could not be seen`));
  const pruned = await scene.run(["prune", "--keep-last", "1", "--yes"], roles);
  assert.equal(pruned.exitCode, 4);
  assert.match(pruned.stderr, /is not deleted/);
  assert.equal(scene.recorded().length, 2);
});
