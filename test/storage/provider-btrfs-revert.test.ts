/** A subvolume is put back as it was, where that has the effect that is meant; anywhere else it is refused, and nothing is touched. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, openSync, closeSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import type { Context, Snapshot } from "holdstill/plugin";
import provider from "@holdstill/provider-btrfs";
import { probeContext } from "../support/fixture/context.js";
import {
  btrfs,
  capturing,
  mountsIn,
  type Options,
  listOn,
  stateOf,
  subvolume,
  takeOne,
  topOf,
  transaction,
} from "../support/storage/btrfs.js";
import { mount } from "../support/storage/loop-device.js";
import { tempDir } from "../support/storage/temp.js";

interface Captured {
  readonly top: string;
  readonly data: string;
  readonly snapshot: Snapshot;
  readonly ctx: Context<Options>;
}

/** A subvolume with one nested in it, and a snapshot of both. */
async function captured(t: TestContext): Promise<Captured | null> {
  const top = topOf(t);
  if (top === null) return null;
  const data = subvolume(`${top}/srv/data`);
  subvolume(`${data}/a/nested`);
  for (const at of [data, `${data}/a/nested`]) writeFileSync(`${at}/file`, "as it was");
  const { ctx } = probeContext<Options>(capturing, tempDir(t));
  const snapshot = await takeOne(data, ctx);
  for (const at of [data, `${data}/a/nested`]) writeFileSync(`${at}/file`, "since then");
  return { top, data, snapshot, ctx };
}

const revert = async (snapshot: Snapshot, ctx: Context<Options>): Promise<void> =>
  await (provider.revert?.(snapshot, ctx) ?? assert.fail());

const contentsOf = (data: string): string[] =>
  [data, `${data}/a/nested`].map((at) => readFileSync(`${at}/file`, "utf8"));

test("a subvolume and what is nested in it are put back, again and again, and the state before is kept", async (t) => {
  const found = await captured(t);
  if (found === null) return;
  const { data, snapshot, ctx, top } = found;
  const later = await takeOne(data, ctx);
  const tx = transaction();
  const safety = (await provider.preserve?.(snapshot, tx, ctx)) ?? assert.fail();
  await revert(snapshot, ctx);
  assert.deepEqual(contentsOf(data), ["as it was", "as it was"]);
  writeFileSync(`${data}/file`, "writable");
  // The snapshots are also those of the subvolume that took the place of the first one.
  for (const [one, text] of [
    [later, "since then"],
    [snapshot, "as it was"],
    [safety, "since then"],
  ] as const) {
    await revert(one, ctx);
    assert.deepEqual(contentsOf(data), [text, text]);
  }
  assert.equal((await listOn(top, ctx)).length, 3);
  for (const one of [snapshot, later]) await provider.remove(one, ctx);
  await provider.abort(tx, ctx);
  assert.equal(existsSync(`${top}/.holdstill-btrfs`), false);
  const listed = btrfs("subvolume", "list", top).trim().split("\n");
  assert.deepEqual(listed.map((line) => line.replace(/.* path /, "")).toSorted(), ["srv/data", "srv/data/a/nested"]);
});

test("it is refused for what is mounted, in use, the default, in fstab by its number, the top, or would lose a subvolume", async (t) => {
  const found = await captured(t);
  if (found === null) return;
  const { top, data, snapshot, ctx } = found;
  const refused = async (code: string, message: RegExp, one = snapshot): Promise<void> => {
    const before = stateOf(top);
    for (const call of [() => revert(one, ctx), async () => await provider.preserve?.(one, transaction(), ctx)])
      await assert.rejects(call(), { code, message });
    assert.equal(stateOf(top), before);
  };
  const device = btrfs("filesystem", "show", top).match(/path (\S+)/)?.[1] ?? assert.fail();
  await t.test("mounted", async (inner) => {
    const at = mount(inner, ["-o", "subvol=srv/data", device], path.join(tempDir(t), "mounted"));
    await refused("BUSY", new RegExp(`/srv/data is mounted at ${at}`));
  });
  await t.test("a bind mount of a folder in it", async (inner) => {
    mount(inner, ["--bind", `${data}/a`], path.join(tempDir(t), "bound"));
    await refused("BUSY", /is mounted at/);
  });
  await t.test("in use", async () => {
    const fd = openSync(`${data}/file`, "r");
    await refused("BUSY", new RegExp(`in use by .* \\(process ${process.pid}\\)`));
    closeSync(fd);
    const child = spawn("sleep", ["600"], { cwd: `${data}/a` });
    await once(child, "spawn");
    await refused("BUSY", new RegExp(`process ${child.pid}`));
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  await t.test("the default subvolume", async () => {
    btrfs("subvolume", "set-default", data);
    await refused("UNSUPPORTED", /it is the default subvolume/);
    btrfs("subvolume", "set-default", "5", top);
  });
  await t.test("another subvolume in it", async () => {
    subvolume(`${data}/new`);
    await refused("UNSUPPORTED", /\/srv\/data\/new in it is not in the snapshot/);
    btrfs("subvolume", "delete", `${data}/new`);
  });
  await t.test("the top", async () => {
    const whole = await takeOne(top, ctx);
    await refused("UNSUPPORTED", /the top of a file system/, whole);
    await provider.remove(whole, ctx);
  });
  await t.test("a fork", async () => {
    const fork = (await provider.fork?.(snapshot, ctx)) ?? assert.fail();
    await refused("UNSUPPORTED", /this is a fork/, fork);
  });
  await t.test("a subvolume that no longer exists", async () => {
    btrfs("subvolume", "delete", `${data}/a/nested`, data);
    await refused("UNSUPPORTED", /no longer exists/);
  });
});

test("a revert that dies after any of its programs loses nothing, and is done or undone by the next one", async (t) => {
  const found = await captured(t);
  if (found === null) return;
  const { top, data, snapshot, ctx } = found;
  for (let left = 1; ; left += 1) {
    assert.ok(left < 60);
    writeFileSync(`${data}/file`, "since then");
    const died = await revert(snapshot, dyingAfter(left, ctx)).then(
      () => false,
      () => true,
    );
    const after = existsSync(`${data}/file`) ? readFileSync(`${data}/file`, "utf8") : "away";
    await revert(snapshot, ctx);
    assert.deepEqual(contentsOf(data), ["as it was", "as it was"], `after ${left} programs, when it was ${after}`);
    const names = btrfs("subvolume", "list", top).trim().split("\n");
    assert.equal(names.length, 4, names.join("\n"));
    if (!died) break;
  }
  await provider.remove(snapshot, ctx);
  assert.deepEqual(mountsIn(ctx.dataDir), []);
});

test("between its two renames, removing the set puts the original back first", async (t) => {
  const found = await captured(t);
  if (found === null) return;
  const { top, data, snapshot, ctx } = found;
  const folder = `${top}/.holdstill-btrfs/${snapshot.id}`;
  const file = `${top}/.holdstill-btrfs/entries/${snapshot.id}.json`;
  const entry = JSON.parse(readFileSync(file, "utf8")) as { origin: string };
  writeFileSync(file, JSON.stringify({ ...entry, swap: { old: entry.origin, path: "/srv/data" } }));
  renameSync(data, `${folder}/old`);
  await provider.remove(snapshot, ctx);
  assert.deepEqual(contentsOf(data), ["since then", "since then"]);
  assert.equal(existsSync(`${top}/.holdstill-btrfs`), false);
});

/** Runs so many programs, and then no more, as if the worker had been killed. */
function dyingAfter(count: number, ctx: Context<Options>): Context<Options> {
  let left = count;
  return {
    ...ctx,
    exec: (...args) => {
      left -= 1;
      return left < 0 ? Promise.reject(new Error("killed")) : ctx.exec(...args);
    },
  };
}
