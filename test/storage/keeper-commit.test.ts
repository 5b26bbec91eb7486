/** Operations of a commit as data, run by the keeper while everything is held. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import test from "node:test";
import { Keeper, lapseError } from "#core/keeper/client/client.js";
import { armed, freezables, freeze, sectionOf, thaw } from "../support/storage/freezable.js";
import { refusalOf } from "../support/process/refusal.js";
import { monotonic, WriteProbe } from "../support/storage/write-probe.js";

test("a btrfs snapshot is an operation of the commit", async (t) => {
  const mounts = freezables(t, 2, ["ext4", "btrfs"]);
  if (mounts === null) return;
  const [held = "", btrfs = ""] = mounts;
  writeFileSync(`${btrfs}/file`, "content");
  const snapshot = { op: "btrfs-snapshot", subvolume: btrfs, folder: btrfs, name: "snap" } as const;
  const keeper = await armed(t, { ...sectionOf([held]), ops: [snapshot, { op: "plugin" }] });
  await keeper.hold();
  assert.equal(readFileSync(`${btrfs}/snap/file`, "utf8"), "content");
  assert.throws(() => writeFileSync(`${btrfs}/snap/file`, ""), { code: "EROFS" });
  assert.equal(lapseError(await keeper.release()), null);
  await keeper.disarm();
  const wrong = await refusalOf(Keeper.arm({ ...sectionOf([btrfs]), ops: [snapshot] }));
  assert.match(wrong.message, /would wait forever/);
});

test("an operation that fails releases everything and is named", async (t) => {
  const mounts = freezables(t, 2, ["ext4", "btrfs"]);
  if (mounts === null) return;
  const [held = "", btrfs = ""] = mounts;
  mkdirSync(`${btrfs}/snap`);
  const snapshot = { op: "btrfs-snapshot", subvolume: btrfs, folder: btrfs, name: "snap" } as const;
  const keeper = await armed(t, { ...sectionOf([held]), ops: [snapshot] });
  const error = await refusalOf(keeper.hold());
  assert.equal(error.code, "E_HOLD_FAILED");
  assert.match(error.message, /btrfs-snapshot .*\/snap: EEXIST/);
  assert.equal(thaw(held), false, "it is released");
  await keeper.disarm();
});

test("operations on several volumes run side by side, and one that fails is named among them", async (t) => {
  const mounts = freezables(t, 2, ["ext4", "btrfs"]);
  if (mounts === null) return;
  const [held = "", btrfs = ""] = mounts;
  const snapshot = (name: string) => ({ op: "btrfs-snapshot", subvolume: btrfs, folder: btrfs, name }) as const;
  const chains = [[snapshot("one"), snapshot("two")], [snapshot("three")], [{ op: "plugin" } as const]];
  const keeper = await armed(t, { ...sectionOf([held]), ops: [{ op: "parallel", chains }] });
  await keeper.hold();
  assert.deepEqual(readdirSync(btrfs).toSorted(), ["one", "three", "two"]);
  assert.equal(lapseError(await keeper.release()), null);
  await keeper.disarm();
  const again = await armed(t, {
    ...sectionOf([held]),
    ops: [{ op: "parallel", chains: [[snapshot("four")], [snapshot("three"), snapshot("five")]] }],
  });
  const error = await refusalOf(again.hold());
  assert.equal(error.code, "E_HOLD_FAILED");
  assert.match(error.message, /btrfs-snapshot .*\/three: EEXIST/);
  assert.equal(existsSync(`${btrfs}/five`), false, "nothing follows the failed operation");
  assert.equal(thaw(held), false, "it is released");
  await again.disarm();
});

test("operations that the kernel does not answer take no thread from the releases", async (t) => {
  const mounts = freezables(t, 2, ["ext4", "btrfs"]);
  if (mounts === null) return;
  const [held = "", btrfs = ""] = mounts;
  const chains = Array.from({ length: 12 }, (_, at) => [
    { op: "btrfs-snapshot", subvolume: btrfs, folder: btrfs, name: `snap-${at}` } as const,
  ]);
  const keeper = await armed(t, { ...sectionOf([held]), ops: [{ op: "parallel", chains }], limitMs: 500 });
  // A freeze of another process: a snapshot waits for its end.
  assert.equal(freeze(btrfs), true);
  try {
    const error = await refusalOf(keeper.hold());
    assert.equal(error.code, "E_HOLD_FAILED");
    assert.match(error.message, /btrfs-snapshot \S+snap-0, .*snap-11: the kernel did not answer in time/);
    assert.equal(thaw(held), false, "it is released");
    assert.deepEqual(readdirSync(btrfs), []);
  } finally {
    thaw(btrfs);
  }
  await keeper.disarm();
});

test("if the host has nothing to do while it is held, the keeper releases without a request", async (t) => {
  const mounts = freezables(t, 2, ["ext4", "xfs"]);
  if (mounts === null) return;
  const scribes = mounts.map((mount) => new WriteProbe(t, mount));
  for (const scribe of scribes) await scribe.writesAfter(0);
  const keeper = await armed(t, { ...sectionOf(mounts), ops: [] });
  await keeper.hold();
  const held = monotonic();
  for (const scribe of scribes) assert.ok((await scribe.writesAfter(held)) > 0, "it was released without a request");
  const report = await keeper.release();
  assert.equal(report.reason, "done");
  assert.equal(lapseError(report), null);
  assert.ok(
    report.targets.every(({ inForce, heldAt, releasedAt }) => inForce && heldAt !== null && releasedAt !== null),
  );
  await keeper.disarm();
});
