/** provider-btrfs on real file systems, called directly. */
import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import type { Snapshot, View } from "holdstill/plugin";
import provider from "@holdstill/provider-btrfs";
import {
  btrfs,
  capturing,
  commit,
  mountsIn,
  type Options,
  listOn,
  stateOf,
  subvolume,
  take,
  takeOne,
  topOf,
  transaction,
  volumesOf,
} from "../support/storage/btrfs.js";
import { probeContext } from "../support/fixture/context.js";
import { onEnd } from "../support/process/on-end.js";
import { mount } from "../support/storage/loop-device.js";
import { tempDir } from "../support/storage/temp.js";
import { furnish, portrait } from "../support/storage/tree.js";

const contextIn = (t: TestContext, options: Options = capturing) => probeContext<Options>(options, tempDir(t)).ctx;

/** A place to show a snapshot at. */
function viewIn(t: TestContext, access: View["access"] = "read-only"): View {
  const at = path.join(tempDir(t), "at");
  mkdirSync(at);
  return { access, at };
}

/** Shows a snapshot, and returns where its first tree is. */
async function shown(t: TestContext, snapshot: Snapshot, view: View, ctx = contextIn(t)): Promise<string> {
  const exposed = await provider.expose(snapshot, view, ctx);
  onEnd(t, () => provider.unexpose(snapshot, ctx));
  return exposed.trees[0]?.path ?? assert.fail("there is no tree");
}

test("a subvolume is captured with owners, modes, ACLs, attributes, links and holes, and removed without a trace", async (t) => {
  const top = topOf(t);
  if (top === null) return;
  const data = subvolume(`${top}/srv/data`);
  furnish(`${data}/tree`);
  const [before, portraitBefore] = [stateOf(top), portrait(`${data}/tree`)];
  const ctx = contextIn(t);
  const snapshot = await takeOne(data, ctx);
  writeFileSync(`${data}/later`, "");
  const view = viewIn(t);
  const tree = await shown(t, snapshot, view, ctx);
  assert.equal(portrait(`${tree}/tree`), portraitBefore);
  assert.equal(existsSync(`${tree}/later`), false);
  assert.throws(() => writeFileSync(`${tree}/new`, ""), { code: "EROFS" });
  await provider.unexpose(snapshot, ctx);
  for (const _ of [1, 2]) await provider.remove(snapshot, ctx);
  assert.equal(stateOf(top), before);
  assert.deepEqual([await listOn(top, ctx), readdirSync(path.join(ctx.dataDir, "filesystems"))], [[], []]);
  assert.deepEqual(mountsIn(ctx.dataDir), []);
});

test("nested subvolumes are in their places, with odd names, in each view and in a fork", async (t) => {
  const top = topOf(t);
  if (top === null) return;
  const data = subvolume(`${top}/data`);
  const nested = [
    "a/nested",
    "a/nested/in it",
    "new\nline",
    "-rf",
    "Büro #1",
    `x\nID 999 gen 1 top level 5 path data/fake`,
  ];
  for (const name of nested) writeFileSync(`${subvolume(`${data}/${name}`)}/file`, name);
  const before = stateOf(top);
  const ctx = contextIn(t);
  const support = await provider.match(volumesOf(data)[0] ?? assert.fail(), ctx);
  assert.equal(support?.pointInTime, false, "each has its own instant");
  const snapshot = await takeOne(data, ctx);
  const [listed] = await listOn(top, ctx);
  assert.deepEqual([listed?.pointInTime, listed?.lost], [false, undefined]);
  const fork = (await provider.fork?.(snapshot, ctx)) ?? assert.fail();
  for (const name of nested) writeFileSync(`${data}/${name}/file`, "changed");
  for (const one of [snapshot, fork])
    for (const access of ["read-only", "scratch", "writable", "read-only"] as const) {
      const tree = await shown(t, one, viewIn(t, access), ctx);
      for (const name of nested) assert.equal(readFileSync(`${tree}/${name}/file`, "utf8"), name);
      if (access === "scratch") for (const name of nested) writeFileSync(`${tree}/${name}/file`, "discarded");
      if (access === "writable") writeFileSync(`${tree}/a/nested/stays`, "");
      await provider.unexpose(one, ctx);
    }
  for (const one of [snapshot, fork]) {
    assert.ok(existsSync(`${await shown(t, one, viewIn(t), ctx)}/a/nested/stays`));
    await provider.unexpose(one, ctx);
  }
  await provider.remove(fork, ctx);
  await provider.remove(snapshot, ctx);
  assert.equal(stateOf(top), before);
});

test("of a snapshot without nested subvolumes, plan shows one instant, flushed, and what it needs of what is free", async (t) => {
  const top = topOf(t);
  if (top === null) return;
  const data = subvolume(`${top}/data`);
  subvolume(`${data}/nested`);
  const [volume = assert.fail()] = volumesOf(data);
  const before = stateOf(top);
  const support = await provider.match(volume, contextIn(t, { nested: "leave-out" }));
  assert.deepEqual([support?.pointInTime, support?.consistency, support?.group], [true, "filesystem", undefined]);
  assert.ok((support?.space?.freeBytes ?? 0) > (support?.space?.neededBytes ?? Infinity));
  assert.equal(stateOf(top), before);
  const ctx = contextIn(t, { nested: "leave-out" });
  const snapshot = await takeOne(data, ctx);
  assert.deepEqual(snapshot.facts?.["notCaptured"], [`${data}/nested`]);
  await provider.remove(snapshot, ctx);
});

test("snapshots of snapper and Timeshift are neither captured, nor claimed, nor removed", async (t) => {
  const top = topOf(t);
  if (top === null) return;
  const home = subvolume(`${top}/@home`);
  subvolume(`${home}/.snapshots`);
  mkdirSync(`${home}/.snapshots/1`);
  btrfs("-q", "subvolume", "snapshot", "-r", home, `${home}/.snapshots/1/snapshot`);
  mkdirSync(`${top}/timeshift-btrfs/snapshots/2026-01-01`, { recursive: true });
  btrfs("-q", "subvolume", "snapshot", home, `${top}/timeshift-btrfs/snapshots/2026-01-01/@home`);
  const before = stateOf(top);
  const ctx = contextIn(t);
  const sets = [await takeOne(home, ctx), await takeOne(top, ctx)];
  assert.deepEqual(sets[0]?.facts?.["notCaptured"], [`${home}/.snapshots`]);
  assert.deepEqual(
    (sets[1]?.facts?.["subvolumes"] as { inner: string }[] | undefined)?.map(({ inner }) => inner),
    ["", "@home"],
  );
  assert.deepEqual((await listOn(top, ctx)).map(({ id }) => id).toSorted(), sets.map(({ id }) => id).toSorted());
  await assert.rejects(
    provider.revert?.(sets[0] ?? assert.fail(), ctx) ?? assert.fail(),
    /\.snapshots in it is not in/,
  );
  for (const one of sets) await provider.remove(one, ctx);
  assert.equal(stateOf(top), before);
});

test("a set of several file systems and subvolumes, mounted by their own and by the top, is one of each", async (t) => {
  const [one, two] = [topOf(t, "one"), topOf(t, "two")];
  if (one === null || two === null) return;
  const paths = [subvolume(`${one}/a`), subvolume(`${one}/b`), subvolume(`${two}/c`)];
  for (const at of paths) writeFileSync(`${at}/file`, at);
  const device = btrfs("filesystem", "show", one).match(/path (\S+)/)?.[1] ?? assert.fail();
  const dir = tempDir(t);
  const mounted = mount(t, ["-o", "subvol=b", device], `${dir}/b`);
  const bound = path.join(dir, "bound");
  mkdirSync(`${one}/a/folder`);
  writeFileSync(`${one}/a/folder/file`, "bound");
  mount(t, ["--bind", `${one}/a/folder`], bound);
  const before = [stateOf(one), stateOf(two)];
  const ctx = contextIn(t);
  const snapshots = await take(transaction(), volumesOf(bound, mounted, paths[2] ?? ""), ctx);
  const contents = [];
  for (const snapshot of snapshots)
    contents.push(readFileSync(`${await shown(t, snapshot, viewIn(t), ctx)}/file`, "utf8"));
  assert.deepEqual(contents, ["bound", paths[1], paths[2]]);
  for (const snapshot of snapshots) {
    await provider.unexpose(snapshot, ctx);
    await provider.remove(snapshot, ctx);
  }
  assert.deepEqual([stateOf(one), stateOf(two)], before);
});

test("what another process has put in the place of a snapshot is not removed, nor shown", async (t) => {
  const top = topOf(t);
  if (top === null) return;
  const data = subvolume(`${top}/data`);
  const other = subvolume(`${top}/other`);
  const ctx = contextIn(t);
  const snapshot = await takeOne(data, ctx);
  const folder = `${top}/.holdstill-btrfs/${snapshot.id}`;
  renameSync(folder, `${top}/kept`);
  mkdirSync(folder);
  renameSync(other, `${folder}/0`);
  await assert.rejects(provider.remove(snapshot, ctx), { code: "CHANGED" });
  await assert.rejects(provider.expose(snapshot, viewIn(t), ctx), { code: "UNKNOWN_SNAPSHOT" });
  const [listed] = await listOn(top, ctx);
  assert.match(listed?.lost ?? "", /no longer exists/);
  renameSync(`${folder}/0`, other);
  rmdirSync(folder);
  renameSync(`${top}/kept`, folder);
  await provider.remove(snapshot, ctx);
  assert.deepEqual(readdirSync(top).toSorted(), ["data", "other"]);
});

test("a snapshot that was moved out of the store with its folder is not called removed", async (t) => {
  const top = topOf(t);
  if (top === null) return;
  const ctx = contextIn(t);
  const snapshot = await takeOne(subvolume(`${top}/data`), ctx);
  renameSync(`${top}/.holdstill-btrfs`, `${top}/moved`);
  await assert.rejects(provider.remove(snapshot, ctx), { code: "MOVED", message: /moved to \/moved\// });
  renameSync(`${top}/moved`, `${top}/.holdstill-btrfs`);
  await provider.remove(snapshot, ctx);
});

test("subvolumes that were made in a writable or scratch view are removed with it", async (t) => {
  const top = topOf(t);
  if (top === null) return;
  const data = subvolume(`${top}/data`);
  const before = stateOf(top);
  const ctx = contextIn(t);
  const snapshot = await takeOne(data, ctx);
  for (const access of ["scratch", "writable"] as const) {
    const tree = await shown(t, snapshot, viewIn(t, access), ctx);
    subvolume(`${tree}/more/inner`);
    subvolume(`${tree}/more/inner/most`);
    await provider.unexpose(snapshot, ctx);
  }
  assert.ok(existsSync(`${await shown(t, snapshot, viewIn(t), ctx)}/more/inner/most`));
  await provider.unexpose(snapshot, ctx);
  await provider.remove(snapshot, ctx);
  assert.equal(stateOf(top), before);
});

test("with quotas, list has what only the snapshot uses, and how full the file system is", async (t) => {
  const top = topOf(t);
  if (top === null) return;
  const data = subvolume(`${top}/data`);
  btrfs("quota", "enable", top);
  writeFileSync(`${data}/file`, Buffer.alloc(8 * 1024 * 1024, 1));
  const ctx = contextIn(t);
  const snapshot = await takeOne(data, ctx);
  writeFileSync(`${data}/file`, Buffer.alloc(8 * 1024 * 1024, 2));
  btrfs("filesystem", "sync", top);
  btrfs("quota", "rescan", "-w", top);
  const [listed] = await listOn(top, ctx);
  assert.ok((listed?.bytes ?? 0) >= 8 * 1024 * 1024, `${listed?.bytes}`);
  assert.ok((listed?.usage?.percent ?? 0) > 0 && listed?.usage?.where.startsWith("/dev/"));
  await provider.remove(snapshot, ctx);
});

test("a subvolume that was replaced between the plan and the commit is not taken for the planned one", async (t) => {
  const top = topOf(t);
  if (top === null) return;
  const data = subvolume(`${top}/data`);
  const other = subvolume(`${top}/other`);
  const before = stateOf(top);
  const ctx = contextIn(t);
  const tx = transaction();
  const volumes = volumesOf(data);
  const section = await provider.prepare(tx, volumes, ctx);
  renameSync(data, `${top}/aside`);
  renameSync(other, data);
  commit(section.commit);
  await assert.rejects(provider.seal(tx, ctx), { code: "CHANGED" });
  renameSync(data, other);
  renameSync(`${top}/aside`, data);
  await assert.rejects(provider.abort(tx, ctx), { code: "CHANGED" });
  const [made = ""] = readdirSync(`${top}/.holdstill-btrfs`).filter((name) => name.startsWith(tx.id));
  btrfs("subvolume", "delete", `${top}/.holdstill-btrfs/${made}/0`);
  await provider.abort(tx, ctx);
  assert.equal(stateOf(top), before);
  assert.ok(statSync(data).isDirectory());
});
