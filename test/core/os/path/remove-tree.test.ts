import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { removeTree } from "#core/os/path/remove-tree.js";
import { walk } from "#core/os/path/walk.js";
import { onEnd } from "../../../support/process/on-end.js";
import { alice, asUser, needsRoot } from "../../../support/process/as-user.js";
import { refusalOf } from "../../../support/process/refusal.js";
import { hooked, kernels } from "../../../support/storage/raced-syscalls.js";
import { tempDir } from "../../../support/storage/temp.js";
import { furnish } from "../../../support/storage/tree.js";

const descriptors = (): number => readdirSync("/proc/self/fd").length;

function outsideOf(t: TestContext): { dir: string; outside: string } {
  const root = tempDir(t);
  const [dir, outside] = [path.join(root, "dir"), path.join(root, "outside")];
  mkdirSync(path.join(outside, "kept"), { recursive: true });
  mkdirSync(dir);
  return { dir, outside };
}

for (const [name, sys] of Object.entries(kernels)) {
  test(
    `${name}: a tree of everything is removed, and nothing that its links lead to`,
    { skip: needsRoot },
    async (t) => {
      const { dir, outside } = outsideOf(t);
      furnish(path.join(dir, "tree"));
      symlinkSync(outside, path.join(dir, "tree/plain/out"));
      symlinkSync("../../outside", path.join(dir, "tree/up"));
      symlinkSync(outside, path.join(dir, "link"));
      using folder = walk(dir, {}, sys);
      await removeTree(folder, "tree");
      await removeTree(folder, "link");
      await removeTree(folder, "gone");
      assert.deepEqual([folder.list(), readdirSync(outside)], [[], ["kept"]]);
    },
  );

  test(`${name}: a tree deeper than a process may have files open is removed`, async (t) => {
    const { dir } = outsideOf(t);
    let deepest = walk(dir);
    for (let depth = 0; depth < 400; depth += 1) {
      using above = deepest;
      above.create("file")[Symbol.dispose]();
      deepest = above.mkdir("d");
    }
    deepest[Symbol.dispose]();
    const before = descriptors();
    let most = 0;
    const looking = hooked((index) => {
      if (index % 100 === 0) most = Math.max(most, descriptors());
    }, sys);
    {
      using folder = walk(dir, {}, looking);
      await removeTree(folder, "d");
      await removeTree(folder, "file");
      assert.deepEqual(folder.list(), []);
    }
    assert.equal(descriptors(), before);
    assert.ok(most - before < 40, `${most - before} descriptors at once`);
  });
}

test("what is not what was meant is left alone", async (t) => {
  const { dir } = outsideOf(t);
  mkdirSync(path.join(dir, "a/x"), { recursive: true });
  using folder = walk(dir);
  const refused = await refusalOf(removeTree(folder, "a", { expected: { identity: "another" } }));
  assert.match(refused.message, /a is not used because it is not what it was/);
  assert.ok(existsSync(path.join(dir, "a/x")));
  const expected = folder.find("a");
  assert.ok(expected);
  await removeTree(folder, "a", { expected });
  assert.equal(folder.find("a"), null);
});

test("a mount in the tree stays, with what is in it, and what lies beside it goes", { skip: needsRoot }, async (t) => {
  const { dir, outside } = outsideOf(t);
  mkdirSync(path.join(dir, "tree/mount"), { recursive: true });
  mkdirSync(path.join(dir, "tree/other"));
  writeFileSync(path.join(dir, "tree/filemount"), "");
  execFileSync("mount", ["--bind", outside, path.join(dir, "tree/mount")]);
  onEnd(t, () => execFileSync("umount", [path.join(dir, "tree/mount")]));
  using folder = walk(dir);
  const refused = await refusalOf(removeTree(folder, "tree"));
  assert.equal(refused.code, "E_PATH_UNSAFE");
  assert.match(refused.message, /tree\/mount is not used because another file system is mounted there/);
  assert.deepEqual(readdirSync(path.join(dir, "tree")), ["mount"]);
  assert.deepEqual(readdirSync(outside), ["kept"]);
});

test("the signal ends it", async (t) => {
  const { dir } = outsideOf(t);
  mkdirSync(path.join(dir, "a/b"), { recursive: true });
  using folder = walk(dir);
  await assert.rejects(removeTree(folder, "a", { signal: AbortSignal.abort(new Error("enough")) }), /enough/);
  assert.ok(existsSync(path.join(dir, "a/b")));
});

test("an ordinary user removes what is the user's own, also where it is read-only", { skip: needsRoot }, async (t) => {
  const { dir } = outsideOf(t);
  chmodSync(path.dirname(dir), 0o755);
  mkdirSync(path.join(dir, "a/b/c"), { recursive: true });
  for (const one of ["", "a", "a/b", "a/b/c"]) chownSync(path.join(dir, one), alice.uid, alice.gid);
  chmodSync(path.join(dir, "a/b"), 0o500);
  chmodSync(path.join(dir, "a"), 0);
  // As the user until all is done: what is awaited goes on as the same user.
  process.setegid?.(alice.gid);
  process.seteuid?.(alice.uid);
  try {
    using folder = walk(dir);
    await removeTree(folder, "a");
    assert.deepEqual(folder.list(), []);
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
  }
  assert.equal(
    asUser(alice, () => process.geteuid?.()),
    alice.uid,
  );
});

test("one who keeps adding files does not keep it for ever", async (t) => {
  const { dir } = outsideOf(t);
  mkdirSync(path.join(dir, "a/b"), { recursive: true });
  let added = 0;
  const sys = hooked((_, call) => {
    if (call !== "unlinkat" || !existsSync(path.join(dir, "a/b"))) return;
    added += 1;
    writeFileSync(path.join(dir, `a/b/new-${added}`), "");
  });
  using folder = walk(dir, {}, sys);
  const refused = await refusalOf(removeTree(folder, "a"));
  assert.match(refused.message, /a\/b failed: it is not empty/);
  assert.ok(added < 100);
});
