/** The keeper on real file systems: what it holds stops writing, and is released whichever process dies. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { Keeper, lapseError } from "#core/keeper/client/client.js";
import { installationCopy } from "../support/process/installation-copy.js";
import { onEnd } from "../support/process/on-end.js";
import { armed, freezable, freezables, freeze, fsOn, sectionOf, thaw } from "../support/storage/freezable.js";
import { loopFs, mount } from "../support/storage/loop-device.js";
import { runScript } from "../support/process/run-script.js";
import { refusalOf } from "../support/process/refusal.js";
import { monotonic, WriteProbe } from "../support/storage/write-probe.js";
import { isGone } from "../support/process/victim.js";

test("what is held stops writing, on ext4, XFS and btrfs, and writes again when it is released", async (t) => {
  const mounts = freezables(t, 3, ["ext4", "xfs", "btrfs"]);
  if (mounts === null) return;
  const scribes = mounts.map((folder) => new WriteProbe(t, folder));
  for (const scribe of scribes) await scribe.writesAfter(0);
  const keeper = await armed(t, sectionOf(mounts));
  await keeper.hold();
  assert.deepEqual(await Promise.all(scribes.map((scribe) => scribe.standsStill())), [true, true, true]);
  const released = monotonic();
  const report = await keeper.release();
  for (const scribe of scribes) assert.ok((await scribe.writesAfter(released)) > 0, scribe.point);
  assert.equal(report.reason, "requested");
  assert.equal(lapseError(report), null);
  for (const { heldAt, releasedAt, inForce } of report.targets) {
    assert.ok(inForce && heldAt !== null && releasedAt !== null && heldAt < releasedAt && releasedAt < monotonic());
  }
  await keeper.disarm();
  assert.ok(await isGone(keeper.pid ?? 0));
});

test("an armed keeper needs no file of its installation: it holds and releases after all of them are gone", async (t) => {
  const fs = freezable(t, "ext4");
  if (fs === null) return;
  const core = installationCopy(t);
  // In its own process, which has no other copy of the core.
  const { stdout, stderr } = await runScript(`
    import { rmSync } from "node:fs";
    const { Keeper, lapseError } = await import(${JSON.stringify(`${core}/dist/keeper/client/client.js`)});
    const keeper = await Keeper.arm(${JSON.stringify(sectionOf([fs]))});
    rmSync(${JSON.stringify(path.dirname(core))}, { recursive: true });
    await keeper.hold();
    const report = await keeper.release();
    console.log(report.targets.length, report.reason, lapseError(report));
    await keeper.disarm();`);
  assert.equal(stdout, "1 requested null\n", stderr);
});

test("two mounts of one file system are held once and reported twice", async (t) => {
  const fs = freezable(t, "ext4");
  if (fs === null) return;
  mkdirSync(`${fs}/folder`);
  const bind = mount(t, ["--bind", `${fs}/folder`], path.join(path.dirname(fs), "bind"));
  const keeper = await armed(t, sectionOf([fs, bind]));
  await keeper.hold();
  const report = await keeper.release();
  assert.deepEqual(
    report.targets.map(({ target, inForce }) => [target.kind === "fs" && target.mount, inForce]),
    [
      [fs, true],
      [bind, true],
    ],
  );
  await keeper.disarm();
});

test("a file system whose disk is a file on another one is held first and released last", async (t) => {
  const below = freezable(t, "ext4", "below");
  if (below === null) return;
  const above = fsOn(t, below);
  const keeper = await armed(t, sectionOf([below, above]));
  writeFileSync(`${above}/dirty`, Buffer.alloc(1024 * 1024));
  await keeper.hold();
  const { targets } = await keeper.release();
  const [lower, upper] = targets;
  assert.ok(upper?.heldAt && lower?.heldAt && upper.heldAt < lower.heldAt);
  assert.ok(upper.releasedAt && lower.releasedAt && lower.releasedAt < upper.releasedAt);
  await keeper.disarm();
});

test("a freeze of another process is E_HOLD_BUSY and stays, and the other targets are released", async (t) => {
  const mounts = freezables(t, 2, ["ext4", "xfs"]);
  if (mounts === null) return;
  const [theirs = "", ours = ""] = mounts;
  const scribe = new WriteProbe(t, ours);
  const keeper = await armed(t, sectionOf(mounts));
  assert.ok(freeze(theirs));
  const error = await refusalOf(keeper.hold());
  assert.equal(error.code, "E_HOLD_BUSY");
  assert.deepEqual(error.details, { target: theirs });
  assert.ok((await scribe.writesAfter(monotonic())) > 0, "the other one is writable");
  await keeper.release();
  await keeper.disarm();
  assert.ok(await isGone(keeper.pid ?? 0));
  assert.ok(thaw(theirs), "theirs was frozen until now");
});

test("a hold that another process ends is not in force, and the section has lapsed", async (t) => {
  const mounts = freezables(t, 2, ["ext4", "btrfs"]);
  if (mounts === null) return;
  const [lost = "", kept = ""] = mounts;
  const keeper = await armed(t, sectionOf([lost, kept]));
  await keeper.hold();
  assert.ok(thaw(lost));
  const report = await keeper.release();
  assert.deepEqual(
    report.targets.map(({ inForce }) => inForce),
    [false, true],
  );
  const lapse = lapseError(report);
  assert.equal(lapse?.code, "E_HOLD_LAPSED");
  assert.deepEqual(lapse.details.targets, [lost]);
  await keeper.disarm();
});

test("if another file system is mounted between arm and hold, neither of the two is frozen", async (t) => {
  const mounts = freezables(t, 2, ["ext4", "xfs"]);
  if (mounts === null) return;
  const [planned = "", other = ""] = mounts;
  const scribe = new WriteProbe(t, other);
  // Another mount of the planned file system, to thaw it there if the keeper freezes it.
  const aside = mount(t, ["--bind", planned], path.join(path.dirname(planned), "aside"));
  onEnd(t, () => thaw(aside));
  const keeper = await armed(t, sectionOf([planned]));
  execFileSync("umount", ["--lazy", planned]);
  execFileSync("mount", ["--bind", other, planned]);
  const before = monotonic();
  const error = await refusalOf(keeper.hold());
  assert.equal(error.code, "E_HOLD_FAILED");
  assert.match(error.message, /unmounted/);
  assert.ok((await scribe.writesAfter(before)) > 0);
  const { targets, heldMs } = await keeper.release();
  assert.deepEqual([targets[0]?.heldAt, heldMs], [null, 0]);
  assert.deepEqual([thaw(planned), thaw(aside)], [false, false], "neither is frozen");
  await keeper.disarm();
});

test("what is mounted over a target between arm and hold is not frozen in its place", async (t) => {
  const fs = freezable(t, "ext4");
  if (fs === null) return;
  const keeper = await armed(t, sectionOf([fs]));
  mount(t, ["-t", "tmpfs", "upper"], fs);
  const error = await refusalOf(keeper.hold());
  assert.equal(error.code, "E_HOLD_FAILED");
  assert.match(error.message, /mounted over/);
  await keeper.disarm();
});

test("a file system other than the planned one is refused when the keeper is armed", async (t) => {
  const fs = loopFs(t, "ext4");
  if (fs === null) return;
  const volume = {
    id: "9:99",
    mountPoint: fs,
    fsType: "ext4",
    source: "",
    root: "/",
    devices: [],
    paths: [fs],
    exclude: [],
  };
  const error = await refusalOf(Keeper.arm({ ...sectionOf([fs]), volumes: [volume] }));
  assert.equal(error.code, "E_HOLD_REFUSED");
  assert.match(error.message, /than was planned/);
});

test("the root of the system, a state directory and a log file on the volume are refused", async (t) => {
  const fs = loopFs(t, "ext4");
  if (fs === null) return;
  const root = await refusalOf(Keeper.arm(sectionOf(["/"])));
  assert.equal(root.code, "E_HOLD_REFUSED");
  assert.match(root.message, /^\/ cannot be held: it carries the root of the system/);
  const protectedPaths = [
    { what: "the state directory", path: `${fs}/state/not-there-yet` },
    { what: "the log file", path: `${fs}/log` },
  ];
  const state = await refusalOf(Keeper.arm(sectionOf([fs]), { protectedPaths }));
  assert.match(state.message, /it carries the state directory, the log file\.$/);
});

test("a keeper that holds ignores SIGTERM, SIGINT and SIGHUP for its whole group", async (t) => {
  const fs = freezable(t, "ext4");
  if (fs === null) return;
  const scribe = new WriteProbe(t, fs);
  const keeper = await armed(t, sectionOf([fs]));
  await keeper.hold();
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.kill(-(keeper.pid ?? 0), signal);
  assert.ok(await scribe.standsStill());
  assert.equal(lapseError(await keeper.release()), null);
  await keeper.disarm();
});

test("a keeper that is killed while it holds is replaced by a process that releases, and the section has failed", async (t) => {
  const mounts = freezables(t, 2, ["ext4", "xfs"]);
  if (mounts === null) return;
  const scribes = mounts.map((folder) => new WriteProbe(t, folder));
  const keeper = await armed(t, sectionOf(mounts));
  await keeper.hold();
  process.kill(keeper.pid ?? 0, "SIGKILL");
  const killed = monotonic();
  for (const scribe of scribes) assert.ok((await scribe.writesAfter(killed + 50)) > 0, scribe.point);
  const report = await keeper.release();
  assert.equal(report.reason, "failed");
  assert.equal(lapseError(report)?.code, "E_HOLD_LAPSED");
  await keeper.disarm();
});

test("a keeper that is killed before it holds is E_KEEPER, and nothing is held", async (t) => {
  const fs = freezable(t, "ext4");
  if (fs === null) return;
  const keeper = await armed(t, sectionOf([fs]));
  process.kill(keeper.pid ?? 0, "SIGKILL");
  assert.ok(await isGone(keeper.pid ?? 0));
  assert.equal((await refusalOf(keeper.hold())).code, "E_KEEPER");
  assert.equal(thaw(fs), false);
  await keeper.disarm();
});

test("with root included, the keeper locks its program and libraries in memory", async (t) => {
  const fs = freezable(t, "ext4");
  if (fs === null) return;
  const keeper = await armed(t, { ...sectionOf([fs]), includeRoot: true });
  const locked = /^VmLck:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${keeper.pid}/status`, "utf8"))?.[1];
  assert.ok(Number(locked) > 50_000, `${locked} kB`);
  await keeper.hold();
  assert.equal(lapseError(await keeper.release()), null);
  await keeper.disarm();
});
