/** The copy of a tree: what cp(1) keeps, what it does not, and where it ends. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
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
import { alice, needsRoot } from "../support/process/as-user.js";
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
