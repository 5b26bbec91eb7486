/** The copy of a tree: what cp(1) keeps, what it does not, and where it ends. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import test from "node:test";
import { copyTree } from "#core/os/exec/tree-copy.js";
import { walk, walkTo } from "#core/os/path/walk.js";
import { lockCopies } from "#core/os/path/inode-flags.js";
import { alice, needsRoot } from "../support/process/as-user.js";
import { onEnd } from "../support/process/on-end.js";
import { loopFs } from "../support/storage/loop-device.js";
import { tempDir } from "../support/storage/temp.js";

const { signal } = new AbortController();

async function copy(from: string, into: string, name: string): Promise<void> {
  using source = walkTo(from, { owner: alice.uid });
  using target = walk(into);
  await copyTree(source, target, name, signal);
}

test(
  "a folder, a file and links are copied with owners, modes and times, and a link is not followed",
  { skip: needsRoot },
  async (t) => {
    const dir = tempDir(t);
    const from = path.join(dir, "from");
    mkdirSync(path.join(from, "a"), { recursive: true });
    writeFileSync(path.join(from, "a/file"), "content");
    chmodSync(path.join(from, "a/file"), 0o640);
    chownSync(path.join(from, "a/file"), alice.uid, alice.gid);
    chownSync(from, alice.uid, alice.gid);
    chmodSync(from, 0o751);
    symlinkSync("/etc/hostname", path.join(from, "link"));
    await copy(from, dir, "to");
    const to = path.join(dir, "to");
    assert.deepEqual([statSync(to).uid, statSync(to).mode & 0o777], [alice.uid, 0o751]);
    const [one, other] = [statSync(path.join(from, "a/file")), statSync(path.join(to, "a/file"))];
    assert.deepEqual([other.uid, other.mode, other.mtimeMs], [one.uid, one.mode, one.mtimeMs]);
    assert.ok(lstatSync(path.join(to, "link")).isSymbolicLink());
    const plain = path.join(dir, "plain");
    writeFileSync(plain, "content");
    await copy(plain, dir, "single");
    assert.equal(readFileSync(path.join(dir, "single"), "utf8"), "content");
    await assert.rejects(copy(plain, dir, "none/x"), { code: "E_PATH_FAILED" });
  },
);

test("project ids of XFS are copied, and not to a file system that has none", { skip: needsRoot }, async (t) => {
  const [one, other] = [loopFs(t, "xfs", "from"), loopFs(t, "xfs", "to")];
  if (one === null || other === null) return t.skip("no XFS on this machine");
  const from = path.join(one, "tree");
  mkdirSync(path.join(from, "in"), { recursive: true });
  writeFileSync(path.join(from, "in/file"), "");
  execFileSync("xfs_io", ["-c", "chproj 42", "-c", "chattr +P", from]);
  execFileSync("xfs_io", ["-c", "chproj 43", path.join(from, "in/file")]);
  await copy(from, other, "tree");
  const projects = ["", "in", "in/file"].map((name) =>
    execFileSync("xfs_io", ["-r", "-c", "lsproj", path.join(other, "tree", name)], { encoding: "utf8" }).trim(),
  );
  assert.deepEqual(projects, ["projid = 42", "projid = 0", "projid = 43"]);
  assert.match(execFileSync("xfs_io", ["-r", "-c", "lsattr", path.join(other, "tree")], { encoding: "utf8" }), /P/);
  await copy(from, tempDir(t), "elsewhere");
});

const flagsOf = (dir: string, ...names: string[]): string[] =>
  names.map((name) => {
    const line = execFileSync("lsattr", ["-d", path.join(dir, name)], { encoding: "utf8" });
    return (line.split(" ")[0] ?? "").replaceAll(/[^SiadAC]/g, "");
  });

for (const kind of ["ext4", "xfs", "btrfs"] as const)
  test(
    `on ${kind} inode flags are copied, and those that lock a file come when everything else is done`,
    { skip: needsRoot },
    async (t) => {
      const fs = loopFs(t, kind);
      if (fs === null) return;
      const from = path.join(fs, "tree");
      mkdirSync(path.join(from, "locked"), { recursive: true });
      const names = ["fixed", "grows", "locked/in", "quiet"];
      for (const name of names) writeFileSync(path.join(from, name), "1");
      onEnd(t, () => spawnSync("chattr", ["-R", "-f", "-ia", fs]));
      execFileSync("chattr", ["+Ad", path.join(from, "quiet")]);
      execFileSync("chattr", ["+a", path.join(from, "grows")]);
      execFileSync("chattr", ["+ia", path.join(from, "fixed")]);
      execFileSync("chattr", ["+i", path.join(from, "locked"), from]);
      using source = walkTo(from);
      using target = walk(fs);
      const { locks, unkept } = await copyTree(source, target, "copy", signal);
      const copied = path.join(fs, "copy");
      assert.deepEqual(flagsOf(copied, "", ...names, "locked"), ["", "", "", "", "dA", ""]);
      using top = target.entry("copy");
      assert.deepEqual([...lockCopies(top, locks), ...unkept], []);
      assert.deepEqual(flagsOf(copied, "", ...names, "locked"), flagsOf(from, "", ...names, "locked"));
      assert.deepEqual(flagsOf(copied, "", "fixed", "locked"), ["i", "ia", "i"]);
    },
  );

test(
  "files and folders without copy-on-write are so in the copy, with all else that they have",
  { skip: needsRoot },
  async (t) => {
    const [one, other, plain] = [loopFs(t, "btrfs", "from"), loopFs(t, "btrfs", "to"), loopFs(t, "ext4")];
    if (one === null || other === null || plain === null) return;
    const from = path.join(one, "tree");
    mkdirSync(path.join(from, "database/in"), { recursive: true });
    writeFileSync(path.join(from, "disk"), "");
    execFileSync("chattr", ["+C", path.join(from, "disk"), path.join(from, "database")]);
    for (const name of ["disk", "database/table", "database/in/table"]) writeFileSync(path.join(from, name), name);
    linkSync(path.join(from, "disk"), path.join(from, "same"));
    chmodSync(path.join(from, "database"), 0o710);
    chownSync(path.join(from, "disk"), alice.uid, alice.gid);
    using source = walkTo(from);
    using target = walk(other);
    const { unkept } = await copyTree(source, target, "copy", signal);
    const copied = path.join(other, "copy");
    assert.deepEqual(unkept, []);
    assert.deepEqual(flagsOf(copied, "", "disk", "same", "database", "database/table"), ["", "C", "C", "C", "C"]);
    assert.deepEqual(readFileSync(path.join(copied, "database/in/table"), "utf8"), "database/in/table");
    assert.equal(statSync(path.join(copied, "database")).mode & 0o777, 0o710);
    const [disk, same] = [statSync(path.join(copied, "disk")), statSync(path.join(copied, "same"))];
    assert.deepEqual([disk.uid, disk.ino], [alice.uid, same.ino]);
    using elsewhere = walk(plain);
    // ext4 has no copy-on-write that could be turned off.
    assert.deepEqual((await copyTree(source, elsewhere, "copy", signal)).unkept, []);
  },
);

test("flags that the copy's file system does not take are named", { skip: needsRoot }, async (t) => {
  const [ext4, xfs] = [loopFs(t, "ext4"), loopFs(t, "xfs")];
  if (ext4 === null || xfs === null) return;
  const from = path.join(ext4, "tree");
  mkdirSync(path.join(from, "synchronous"), { recursive: true });
  execFileSync("chattr", ["+Dd", path.join(from, "synchronous")]);
  using source = walkTo(from);
  using target = walk(xfs);
  assert.deepEqual((await copyTree(source, target, "copy", signal)).unkept, [{ names: ["synchronous"], flags: "D" }]);
});
