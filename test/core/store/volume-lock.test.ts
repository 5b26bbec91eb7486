/** Volumes are locked between real processes. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { lockVolumes, type TakenVolumes } from "#core/store/volume-lock.js";
import type { StateDir } from "#core/store/state-directory.js";
import { HoldstillError } from "#core/base/errors/error.js";
import { HolderProcess } from "../../support/process/holder-process.js";
import { refusalOf } from "../../support/process/refusal.js";
import { tempState } from "../../support/fixture/state-directory.js";

test("who comes second is told the owner, and gets the volume when the owner is killed", async (t) => {
  const state = tempState(t);
  const first = new HolderProcess(t, "volumes", state.root, "first", "8:1");
  assert.equal(await first.nextLine(), "mine");
  const second = new HolderProcess(t, "volumes", state.root, "second", "8:1");
  assert.equal(await second.nextLine(), `queued for 8:1 after first of ${first.child.pid}`);
  await first.kill();
  assert.equal(await second.nextLine(), "mine");
});

test("after the limit the caller is refused, with the owner's name", async (t) => {
  const state = tempState(t);
  const owner = new HolderProcess(t, "volumes", state.root, "first", "0:39/home");
  assert.equal(await owner.nextLine(), "mine");
  const refusal = await refusalOf(lock(state, ["0:39/home"], "second", 150).locks);
  assert.equal(refusal.code, "E_VOLUME_BUSY");
  assert.match(
    refusal.message,
    new RegExp(`^Volume 0:39/home belongs to transaction first \\(pid ${owner.child.pid}, `),
  );
});

test("one that is refused gives back what it had already", async (t) => {
  const state = tempState(t);
  const owner = await lock(state, ["b"], "first").locks;
  await refusalOf(lock(state, ["a", "b"], "second", 0).locks);
  const free = await lock(state, ["a"], "third", 0).locks;
  free.release();
  owner.release();
});

test("the transaction that waits is told once for each volume, not each time that it looks", async (t) => {
  const state = tempState(t);
  const owner = await lock(state, ["a"], "first").locks;
  const waiting = lock(state, ["a"], "second", 350);
  await refusalOf(waiting.locks);
  assert.deepEqual(waiting.told, ["a after first"]);
  owner.release();
});

test("volumes are taken in one order, so two transactions never wait for each other", async (t) => {
  const state = tempState(t);
  const third = await lock(state, ["m"], "third").locks;
  // In the order of the caller: one would take a and wait for m, the other take b and wait for a, and then one for b.
  const one = lock(state, ["a", "m", "b"], "one", 3000);
  const other = lock(state, ["b", "a"], "other", 3000);
  while (one.told.length === 0 || other.told.length === 0) await sleep(5);
  third.release();
  (await one.locks).release();
  (await other.locks).release();
  assert.deepEqual([one.told, other.told], [["m after third"], ["a after one"]]);
});

test("a volume that is named twice is taken once", async (t) => {
  const state = tempState(t);
  (await lock(state, ["a", "a"], "one", 0).locks).release();
});

test("an interruption ends the waiting at once, with its own error", async (t) => {
  const state = tempState(t);
  const owner = await lock(state, ["a"], "first").locks;
  const control = new AbortController();
  const waiting = lock(state, ["a"], "second", 60_000, control.signal);
  const reason = new HoldstillError("E_INTERRUPTED", { signal: "SIGINT" });
  control.abort(reason);
  assert.equal(await refusalOf(waiting.locks), reason);
  owner.release();
});

test("the lock file names its owner, whatever its last one left there", async (t) => {
  const state = tempState(t);
  (await lock(state, ["0:39/a"], "one-with-a-very-long-name").locks).release();
  const locks = await lock(state, ["0:39/a"], "two").locks;
  const text = readFileSync(path.join(state.volumes, "0%3A39%2Fa.lock"), "utf8");
  assert.equal((JSON.parse(text) as { transaction: string }).transaction, "two");
  locks.release();
});

test("a volume whose id is longer than a file name may be is locked like any other, and is not another one", async (t) => {
  const state = tempState(t);
  const subvolume = `0:39/${"very-long/".repeat(100)}`;
  const owner = await lock(state, [`${subvolume}a`], "first").locks;
  (await lock(state, [`${subvolume}b`], "second", 0).locks).release();
  const refusal = await refusalOf(lock(state, [`${subvolume}a`], "third", 0).locks);
  assert.equal(refusal.code, "E_VOLUME_BUSY");
  owner.release();
});

function lock(
  state: StateDir,
  volumes: string[],
  transaction: string,
  limitMs = 5000,
  signal = new AbortController().signal,
): { locks: Promise<TakenVolumes>; told: string[] } {
  const told: string[] = [];
  const onQueued = (volume: string, owner: { transaction: string }): void =>
    void told.push(`${volume} after ${owner.transaction}`);
  return { locks: lockVolumes(state, volumes, transaction, limitMs, onQueued, signal), told };
}
