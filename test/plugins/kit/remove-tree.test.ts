import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { removeTree } from "#kit/remove-tree.js";
import { walk } from "#kit/walk.js";
import { needsRoot } from "../../support/process/as-user.js";
import { onEnd } from "../../support/process/on-end.js";
import { hookedCalls } from "../../support/storage/raced-file-calls.js";
import { tempDir } from "../../support/storage/temp.js";

test("a tree is removed with all that is below, of any depth, and links in it are not followed", async (t) => {
  const dir = tempDir(t);
  mkdirSync(path.join(dir, "outside"));
  writeFileSync(path.join(dir, "outside/kept"), "");
  const deep = Array.from({ length: 100 }, () => "d").join("/");
  mkdirSync(path.join(dir, "tree", deep), { recursive: true });
  writeFileSync(path.join(dir, "tree", deep, "file"), "");
  writeFileSync(path.join(dir, "tree/d/.removing-1"), "");
  symlinkSync(path.join(dir, "outside"), path.join(dir, "tree/link"));
  writeFileSync(Buffer.concat([Buffer.from(`${dir}/tree/`), Buffer.from([0xff])]), "");
  using folder = walk(dir);
  await removeTree(folder, "tree");
  await removeTree(folder, "tree");
  assert.deepEqual(readdirSync(dir, { recursive: true, encoding: "utf8" }).toSorted(), ["outside", "outside/kept"]);
});

test("what is not what was expected is left alone", async (t) => {
  const dir = tempDir(t);
  for (const name of ["one", "other"]) mkdirSync(path.join(dir, name, "x"), { recursive: true });
  using folder = walk(dir);
  const expected = folder.find("one") ?? undefined;
  renameSync(path.join(dir, "one"), path.join(dir, "away"));
  renameSync(path.join(dir, "other"), path.join(dir, "one"));
  assert.ok(expected);
  await assert.rejects(removeTree(folder, "one", { expected }), {
    code: "PATH_UNSAFE",
    message: /it is not what it was/,
  });
  assert.ok(existsSync(path.join(dir, "one/x")));
  await assert.rejects(removeTree(folder, "one", { signal: AbortSignal.abort(new Error("over")) }), /over/);
});

test("a folder that becomes a link while it is emptied leads nowhere", async (t) => {
  const dir = tempDir(t);
  mkdirSync(path.join(dir, "tree/inner"), { recursive: true });
  mkdirSync(path.join(dir, "outside"));
  writeFileSync(path.join(dir, "outside/kept"), "");
  let calls = 0;
  {
    mkdirSync(path.join(dir, "rehearsal/inner"), { recursive: true });
    using folder = walk(
      dir,
      {},
      hookedCalls(() => (calls += 1)),
    );
    await removeTree(folder, "rehearsal");
  }
  for (let at = 0; at < calls; at += 1) {
    mkdirSync(path.join(dir, "tree/inner"), { recursive: true });
    const hooked = hookedCalls((index) => {
      if (index !== at || lstatSync(path.join(dir, "tree/inner"), { throwIfNoEntry: false }) === undefined) return;
      renameSync(path.join(dir, "tree/inner"), path.join(dir, `moved-${at}`));
      symlinkSync(path.join(dir, "outside"), path.join(dir, "tree/inner"));
    });
    using folder = walk(dir, {}, hooked);
    await removeTree(folder, "tree").catch((error: unknown) => assert.match(String(error), /is not used|failed/));
    await removeTree(folder, "tree");
    assert.deepEqual(readdirSync(path.join(dir, "outside")), ["kept"], `at call ${at}`);
  }
});

test("a mount below is refused, and what is beside it removed", { skip: needsRoot }, async (t) => {
  const dir = tempDir(t);
  mkdirSync(path.join(dir, "tree/mount"), { recursive: true });
  writeFileSync(path.join(dir, "tree/file"), "");
  execFileSync("mount", ["-t", "tmpfs", "none", path.join(dir, "tree/mount")]);
  onEnd(t, () => execFileSync("umount", [path.join(dir, "tree/mount")]));
  writeFileSync(path.join(dir, "tree/mount/kept"), "");
  using folder = walk(dir);
  await assert.rejects(removeTree(folder, "tree"), /another file system is mounted there/);
  assert.deepEqual(readdirSync(path.join(dir, "tree"), { recursive: true, encoding: "utf8" }).toSorted(), [
    "mount",
    "mount/kept",
  ]);
});
