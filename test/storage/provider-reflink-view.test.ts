/** How the provider shows its snapshots, and makes second ones of them. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import type { Snapshot, View } from "holdstill/plugin";
import provider from "@holdstill/provider-reflink";
import { probeContext, type Probe } from "../support/fixture/context.js";
import { loopFs } from "../support/storage/loop-device.js";
import { take, tx, viewIn, volumeOf, type Options } from "../support/storage/reflink.js";
import { tempDir } from "../support/storage/temp.js";
import { furnish, portrait, sh } from "../support/storage/tree.js";
import { listAll } from "../support/fixture/list-all.js";

interface Taken {
  probe: Probe<Options>;
  snapshot: Snapshot;
  tree: string;
  copy: string;
  store: string;
}

async function taken(t: TestContext, kind: "xfs" | "ext4" = "xfs"): Promise<Taken | null> {
  const fs = loopFs(t, kind);
  if (fs === null) return null;
  chmodSync(path.dirname(fs), 0o755);
  const tree = furnish(`${fs}/srv/tree`);
  const probe = probeContext<Options>({ store: `${fs}/store` }, tempDir(t));
  const copy = await take(volumeOf([tree]), probe);
  const [snapshot] = await listAll(provider, probe.ctx);
  assert.ok(snapshot);
  return { probe, snapshot, tree, copy, store: `${fs}/store` };
}

async function show({ probe, snapshot }: Taken, view: View): Promise<{ at: string; readOnly: boolean }> {
  const { trees, readOnly } = await provider.expose(snapshot, view, probe.ctx);
  assert.deepEqual(await provider.expose(snapshot, view, probe.ctx), { trees, readOnly }, "asked again");
  assert.equal(trees.length, 1);
  return { at: trees[0]?.path ?? "", readOnly };
}

test("a read-only view shows the snapshot, and root cannot change it there", async (t) => {
  const it = await taken(t);
  if (it === null) return;
  const before = portrait(it.tree);
  const view = viewIn(t, "read-only");
  const { at, readOnly } = await show(it, view);
  assert.equal(at, path.join(view.at, it.tree));
  assert.equal(readOnly, true);
  assert.equal(portrait(at), before);
  assert.throws(() => writeFileSync(`${at}/new`, ""), { code: "EROFS" });
  const options = sh(`findmnt -no OPTIONS ${view.at}`, "/");
  for (const option of ["ro", "nosuid", "nodev"]) assert.ok(options.split(/[,\n]/).includes(option), options);
  await provider.unexpose(it.snapshot, it.probe.ctx);
  await provider.unexpose(it.snapshot, it.probe.ctx);
  assert.deepEqual(readdirSync(view.at), []);
  assert.equal(portrait(it.copy), before);
});

test("a writable view shows the snapshot itself, without power for its programs: what is written stays", async (t) => {
  const it = await taken(t);
  if (it === null) return;
  writeFileSync(`${it.copy}/sh`, readFileSync("/bin/sh"));
  chmodSync(`${it.copy}/sh`, 0o4755);
  const view = viewIn(t, "writable");
  const { at, readOnly } = await show(it, view);
  assert.equal(readOnly, false);
  writeFileSync(`${at}/new`, "stays");
  const asBob = { uid: 1001, gid: 1001, encoding: "utf8", cwd: "/" } as const;
  const { stdout } = spawnSync(`${at}/sh`, ["-pc", "id -u"], asBob);
  assert.equal(stdout.trim(), "1001", "set-user-ID bits do nothing there");
  await provider.unexpose(it.snapshot, it.probe.ctx);
  assert.deepEqual(readdirSync(view.at), []);
  assert.equal(readFileSync(`${it.copy}/new`, "utf8"), "stays");
});

for (const kind of ["xfs", "ext4"] as const) {
  test(`on ${kind} a scratch view is a copy of its own, which unexpose throws away`, async (t) => {
    const it = await taken(t, kind);
    if (it === null) return;
    const before = portrait(it.tree);
    const view = viewIn(t, "scratch");
    const { at } = await show(it, view);
    assert.equal(portrait(at), before);
    writeFileSync(`${at}/new`, "");
    sh("rm -r plain", at);
    assert.equal(portrait(it.copy), before);
    assert.equal((await listAll(provider, it.probe.ctx)).length, 1, "a scratch copy is not a snapshot");
    assert.equal(readdirSync(it.store).length, 2);
    await provider.unexpose(it.snapshot, it.probe.ctx);
    assert.deepEqual(readdirSync(it.store), [it.snapshot.id]);
    assert.deepEqual(readdirSync(view.at), []);
    assert.equal(portrait(it.copy), before);
  });
}

test("another view in the same place replaces the one before, and unexpose ends those in all places", async (t) => {
  const it = await taken(t);
  if (it === null) return;
  const here = viewIn(t, "read-only");
  const there = viewIn(t, "writable");
  await show(it, here);
  await show(it, there);
  const { at } = await show(it, { ...here, access: "scratch" });
  writeFileSync(`${at}/new`, "");
  assert.equal(existsSync(`${it.copy}/new`), false);
  await provider.unexpose(it.snapshot, it.probe.ctx);
  assert.deepEqual([...readdirSync(here.at), ...readdirSync(there.at)], []);
  assert.equal(statSync(path.join(it.store, it.snapshot.id)).mode & 0o777, 0o700);
});

test("a view that is in use is not forgotten: unexpose reports it, and ends it later", async (t) => {
  const it = await taken(t);
  if (it === null) return;
  const view = viewIn(t, "scratch");
  const { at } = await show(it, view);
  const cwd = process.cwd();
  process.chdir(at);
  try {
    const busy = { code: "BUSY", message: /cannot be unmounted/, hint: /fuser/ };
    await assert.rejects(provider.unexpose(it.snapshot, it.probe.ctx), busy);
    await assert.rejects(provider.abort(tx, it.probe.ctx), busy);
  } finally {
    process.chdir(cwd);
  }
  await provider.unexpose(it.snapshot, it.probe.ctx);
  assert.deepEqual(readdirSync(view.at), []);
});

test("a fork is a snapshot of the set beside the first, and each goes its own way", async (t) => {
  const it = await taken(t);
  if (it === null) return;
  const before = portrait(it.tree);
  const fork = (await provider.fork?.(it.snapshot, it.probe.ctx)) ?? it.snapshot;
  assert.deepEqual([fork.id, fork.of, fork.setId], [`${tx.id}.1`, it.snapshot.id, tx.id]);
  assert.equal(it.snapshot.of, undefined);
  assert.deepEqual(
    (await listAll(provider, it.probe.ctx)).map(({ id }) => id),
    [it.snapshot.id, fork.id],
  );
  const view = viewIn(t, "writable");
  const { at } = await show({ ...it, snapshot: fork }, view);
  assert.equal(portrait(at), before);
  writeFileSync(`${at}/new`, "");
  assert.equal(portrait(it.copy), before);
  await provider.unexpose(fork, it.probe.ctx);
  await provider.remove(it.snapshot, it.probe.ctx);
  assert.equal(existsSync(`${it.store}/${fork.id}/files${it.tree}/new`), true);
  await provider.remove(fork, it.probe.ctx);
  assert.deepEqual(readdirSync(it.store), []);
});

test("a fork that was cut off is found and removed by abort, with views that are still open", async (t) => {
  const it = await taken(t);
  if (it === null) return;
  const stop = new AbortController();
  const cut = probeContext<Options>(it.probe.ctx.options, it.probe.ctx.dataDir, stop.signal);
  const ctx = {
    ...cut.ctx,
    exec: (...call: Parameters<typeof cut.ctx.exec>) => {
      if (call[1].includes("cp") || call[1].includes("-T")) stop.abort();
      return cut.ctx.exec(...call);
    },
  };
  await assert.rejects(async () => provider.fork?.(it.snapshot, ctx), { name: "AbortError" });
  assert.equal(readdirSync(it.store).length, 2);
  await show(it, viewIn(t, "read-only"));
  await show(it, viewIn(t, "scratch"));
  await provider.abort(tx, it.probe.ctx);
  assert.deepEqual(readdirSync(it.store), []);
  assert.deepEqual(await listAll(provider, it.probe.ctx), []);
  assert.equal(sh("findmnt -rno TARGET", "/").includes(tx.id), false);
});

test("a copy that would not fit is not a fork", async (t) => {
  const fs = loopFs(t, "ext4");
  if (fs === null) return;
  const tree = tempDir(t);
  sh("head -c 150M /dev/zero > big", tree);
  const probe = probeContext<Options>({ store: `${fs}/store` }, tempDir(t));
  await take(volumeOf([tree]), probe);
  const [snapshot] = await listAll(provider, probe.ctx);
  assert.ok(snapshot);
  await assert.rejects(async () => provider.fork?.(snapshot, probe.ctx), { code: "NO_SPACE" });
  assert.deepEqual(readdirSync(`${fs}/store`), [snapshot.id]);
});
