/** Whatever dies while provider-btrfs works: nothing is left, or it is found and removed. What is not mounted is not called gone. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import type { Context, Snapshot, View } from "holdstill/plugin";
import provider from "@holdstill/provider-btrfs";
import type { SetList } from "#core/base/schema/types.js";
import { probeContext } from "../support/fixture/context.js";
import { type CliRun, holdstill } from "../support/process/command-line.js";
import {
  capturing,
  commit,
  mountsIn,
  type Options,
  listOn,
  stateOf,
  subvolume,
  take,
  topOf,
  transaction,
  volumesOf,
} from "../support/storage/btrfs.js";
import { makeFs, mountImage } from "../support/storage/loop-device.js";
import { tempDir } from "../support/storage/temp.js";

const MiB = 1024 * 1024;

/** A subvolume with one in it, on each of two file systems. */
function laid(t: TestContext): { tops: readonly string[]; targets: readonly string[] } | null {
  const tops = [topOf(t, "one"), topOf(t, "two")].filter((top) => top !== null);
  if (tops.length < 2) return null;
  const targets = tops.map((top) => subvolume(`${top}/data`));
  for (const at of targets) writeFileSync(`${subvolume(`${at}/nested`)}/file`, at);
  return { tops, targets };
}

const stateOfAll = (tops: readonly string[]): string => tops.map(stateOf).join("\n");

test("after each program of prepare and seal, an abort in a new worker leaves nothing", async (t) => {
  const found = laid(t);
  if (found === null) return;
  const { tops, targets } = found;
  const { ctx } = probeContext<Options>(capturing, tempDir(t));
  const before = stateOfAll(tops);
  for (let left = 1; ; left += 1) {
    assert.ok(left < 80);
    const tx = transaction();
    const died = await take(tx, volumesOf(...targets), dyingAfter(left, ctx)).then(
      () => false,
      () => true,
    );
    await provider.abort(tx, ctx);
    assert.deepEqual([stateOfAll(tops), mountsIn(ctx.dataDir)], [before, []], `after ${left} programs`);
    if (!died) break;
  }
});

type Work = (snapshot: Snapshot, at: string, ctx: Context<Options>) => Promise<unknown>;

const works: Record<string, Work> = {
  "a fork": async (snapshot, _, ctx) => await provider.fork?.(snapshot, ctx),
  "a read-only view": async (snapshot, at, ctx) => await seen(snapshot, { access: "read-only", at }, ctx),
  "a scratch view": async (snapshot, at, ctx) => await seen(snapshot, { access: "scratch", at }, ctx),
  "a writable view": async (snapshot, at, ctx) => await seen(snapshot, { access: "writable", at }, ctx),
  "a removal": async (snapshot, _, ctx) => await provider.remove(snapshot, ctx),
};

async function seen(snapshot: Snapshot, view: View, ctx: Context<Options>): Promise<void> {
  await provider.expose(snapshot, view, ctx);
  await provider.unexpose(snapshot, ctx);
}

for (const [name, work] of Object.entries(works))
  test(`after each program of ${name}, what it was done for is whole or gone, and can be removed`, async (t) => {
    const top = topOf(t);
    if (top === null) return;
    const data = subvolume(`${top}/data`);
    writeFileSync(`${subvolume(`${data}/nested`)}/file`, "content");
    const at = path.join(tempDir(t), "at");
    mkdirSync(at);
    const before = stateOf(top);
    for (let left = 1; ; left += 1) {
      assert.ok(left < 60);
      const { ctx } = probeContext<Options>(capturing, tempDir(t));
      const tx = transaction();
      const [snapshot = assert.fail()] = await take(tx, volumesOf(data), ctx);
      const died = await work(snapshot, at, dyingAfter(left, ctx)).then(
        () => false,
        () => true,
      );
      const listed: Snapshot | undefined = (await listOn(top, ctx)).find(({ id }) => id === snapshot.id);
      if (listed?.lost === undefined && listed !== undefined) {
        await provider.unexpose(snapshot, ctx);
        await provider.expose(snapshot, { access: "read-only", at }, ctx);
        assert.equal(readFileSync(`${at}/nested/file`, "utf8"), "content", `after ${left} programs`);
      } else assert.equal(name, "a removal", `after ${left} programs: ${listed?.lost}`);
      await provider.remove(snapshot, ctx);
      await provider.abort(tx, ctx);
      assert.deepEqual([stateOf(top), mountsIn(ctx.dataDir), mountsIn(at)], [before, [], []], `after ${left} programs`);
      if (!died) break;
    }
  });

test("the command line is killed in prepare, commit or seal, and recover leaves nothing", async (t) => {
  const found = laid(t);
  if (found === null) return;
  const { tops, targets } = found;
  const before = stateOfAll(tops);
  const run = commandLine(t);
  for (const phase of ["prepare (", "hold (", "seal ("]) {
    const killed = await run(["create", ...targets], {
      onStderr: (text, child) => {
        if (text.includes(phase)) child.kill("SIGKILL");
      },
    });
    assert.equal(killed.exitCode, null, killed.stderr);
    const recovered = await run(["recover", "--yes"]);
    assert.equal(recovered.exitCode, 0, recovered.stderr);
    assert.equal(stateOfAll(tops), before, phase);
  }
});

test("a snapshot on a file system that is not mounted is neither lost nor removed, and the list shows that", async (t) => {
  const top = topOf(t, "other");
  if (top === null) return;
  const dir = tempDir(t);
  const [image, point] = [path.join(dir, "image"), path.join(dir, "away")];
  makeFs("btrfs", image, 256 * MiB);
  const { end } = mountImage(t, image, point);
  const { ctx } = probeContext<Options>(capturing, tempDir(t));
  const tx = transaction();
  const snapshots = await take(tx, volumesOf(subvolume(`${point}/data`), subvolume(`${top}/data`)), ctx);
  const [snapshot = assert.fail(), here = assert.fail()] = snapshots;
  const begun = transaction();
  commit((await provider.prepare(begun, volumesOf(`${point}/data`), ctx)).commit);
  // As if its worker had died: what it has open keeps nothing mounted.
  for (const mounted of mountsIn(ctx.dataDir)) execFileSync("umount", ["-l", mounted]);
  end();
  const listed = await provider.list(ctx);
  assert.ok(!Array.isArray(listed), "the list is partial");
  assert.deepEqual(
    listed.snapshots.map(({ id }) => id),
    [here.id],
  );
  assert.match(listed.unseen.join(), /^The btrfs [0-9a-f-]{36}, which was at .*away, is not mounted/);
  const view = { access: "read-only", at: dir } as const;
  for (const call of [
    () => provider.remove(snapshot, ctx),
    () => provider.unexpose(snapshot, ctx),
    () => provider.expose(snapshot, view, ctx),
    () => provider.abort(begun, ctx),
  ])
    await assert.rejects(call(), { code: "UNREACHABLE", hint: /Mount it/ });
  const again = mountImage(t, image, point);
  await provider.abort(begun, ctx);
  for (const one of [top, point]) assert.equal((await listOn(one, ctx)).length, 1);
  for (const one of snapshots) await provider.remove(one, ctx);
  assert.equal(existsSync(`${point}/.holdstill-btrfs`), false);
  again.end();
  assert.deepEqual(await listOn(top, ctx), []);
});

test("the state directory is lost, and recover adopts the sets that are on the file systems", async (t) => {
  const found = laid(t);
  if (found === null) return;
  const { tops, targets } = found;
  const before = stateOfAll(tops);
  const run = commandLine(t);
  assert.equal((await run(["create", ...targets])).exitCode, 0);
  const fresh = commandLine(t);
  const adopted = await fresh(["recover", "--adopt", "--yes", "--json"]);
  assert.deepEqual((adopted.json() as { residue: unknown[] }).residue, [], adopted.stderr);
  const { sets } = (await fresh(["list", "--json"])).json() as SetList;
  assert.deepEqual(
    sets.map(({ targets: all }) => all.toSorted()),
    [targets.toSorted()],
  );
  writeFileSync(`${targets[0]}/nested/file`, "spoilt");
  const [{ id } = assert.fail()] = sets;
  assert.equal((await fresh(["delete", id, "--yes"])).exitCode, 0);
  assert.equal(stateOfAll(tops), before);
});

function commandLine(t: TestContext): (args: string[], options?: Parameters<typeof holdstill>[1]) => Promise<CliRun> {
  const dir = tempDir(t);
  const config = path.join(dir, "config.json");
  const plugins = [{ use: "provider-btrfs" }];
  writeFileSync(config, JSON.stringify({ stateDir: `${dir}/state`, exposeDir: `${dir}/exposed`, plugins }));
  return (args, options) => holdstill([...args, "--config", config], options);
}

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
