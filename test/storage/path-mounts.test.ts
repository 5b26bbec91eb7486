import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { readMounts } from "#core/os/mounts.js";
import { FolderHandle } from "#core/os/path/folder.js";
import {
  attachMount,
  detachMount,
  detachedMount,
  detachedTmpfs,
  makeReadOnly,
} from "#core/os/path/mounts-by-handle.js";
import { kernel } from "#core/os/path/syscalls.js";
import { removeTree } from "#core/os/path/remove-tree.js";
import { walk } from "#core/os/path/walk.js";
import { needsRoot } from "../support/process/as-user.js";
import { onEnd } from "../support/process/on-end.js";
import { refusalFrom } from "../support/process/path-refusal.js";
import { refusalOf } from "../support/process/refusal.js";
import { loopFs } from "../support/storage/loop-device.js";
import { tempDir } from "../support/storage/temp.js";

const mountsAt = (dir: string): number => readMounts().filter(({ mountPoint }) => mountPoint === dir).length;

/** A tree to show, and an empty folder to show it at; what is mounted there goes at the end. */
function place(t: TestContext): { dir: string; tree: string; at: string } {
  const dir = realpathSync(tempDir(t));
  chmodSync(dir, 0o755);
  const [tree, at] = [path.join(dir, "tree"), path.join(dir, "at")];
  mkdirSync(path.join(tree, "sub"), { recursive: true });
  mkdirSync(at);
  writeFileSync(path.join(tree, "file"), "content");
  writeFileSync(path.join(dir, "secret"), "secret");
  symlinkSync("../secret", path.join(tree, "link"));
  onEnd(t, () => {
    for (const { mountPoint } of readMounts().toReversed())
      if (mountPoint.startsWith(`${dir}/`)) spawnSync("umount", ["-l", mountPoint]);
  });
  return { dir, tree, at };
}

test("a detached mount is used by its descriptor, is read-only, and is gone with it", { skip: needsRoot }, (t) => {
  const { tree } = place(t);
  const before = readMounts().length;
  using of = walk(tree);
  using view = FolderHandle.of(detachedMount(of, { access: "read-only", links: "followed" }));
  assert.equal(readFileSync(`${view.procPath}/file`, "utf8"), "content");
  assert.throws(() => writeFileSync(`${view.procPath}/new`, ""), /EROFS/);
  assert.match(refusalFrom(() => view.mkdir("new")).message, /mounted read-only \(EROFS\)/);
  assert.equal(readMounts().length, before);
});

test("where links are barred, no program is led out by one, and cp copies them as links", { skip: needsRoot }, (t) => {
  const { dir, tree } = place(t);
  using of = walk(tree);
  using source = detachedMount(of, { access: "read-only", links: "barred" });
  using top = walk(dir);
  using copy = top.mkdir("copy");
  using target = detachedMount(copy, { access: "writable", links: "barred" });
  assert.throws(() => readFileSync(`${source.procPath}/link`), /ELOOP/);
  // As descriptors 3 and 4 of the program.
  const stdio = ["ignore", "pipe", "pipe", source.fd, target.fd] as const;
  const cp = spawnSync("cp", ["-aT", "--", "/proc/self/fd/3/.", "/proc/self/fd/4/."], {
    stdio: [...stdio],
    encoding: "utf8",
  });
  assert.deepEqual([cp.status, cp.stderr], [0, ""]);
  assert.equal(execFileSync("readlink", [path.join(dir, "copy/link")], { encoding: "utf8" }), "../secret\n");
  assert.equal(readFileSync(path.join(dir, "copy/file"), "utf8"), "content");
  // A folder that became a link while it is copied: the program cannot enter it.
  symlinkSync(dir, path.join(tree, "swapped"));
  const led = spawnSync("cat", ["/proc/self/fd/3/swapped/secret"], { stdio: [...stdio], encoding: "utf8" });
  assert.match(led.stderr, /Too many levels of symbolic links/);
});

test("a mount goes onto the folder that was opened, wherever its name leads by now", { skip: needsRoot }, (t) => {
  const { dir, tree, at } = place(t);
  const victim = path.join(dir, "victim");
  mkdirSync(victim);
  using of = walk(tree);
  using point = walk(at);
  using mount = detachedMount(of, { access: "read-only", links: "followed" });
  renameSync(at, `${at}.moved`);
  symlinkSync(victim, at);
  attachMount(mount, point);
  assert.deepEqual(readdirSync(victim), []);
  assert.ok(existsSync(`${at}.moved/file`));
  assert.deepEqual([mountsAt(victim), mountsAt(`${at}.moved`)], [0, 1]);
  using folder = walk(dir);
  const { mountId } = mount.status();
  assert.ok(mountId !== null);
  mount[Symbol.dispose]();
  assert.match(refusalFrom(() => detachMount(folder, "at", mountId, "ignored")).message, /mount \d+ is not there/);
  assert.match(refusalFrom(() => detachMount(folder, "victim", mountId, "ignored")).message, /mount \d+ is not there/);
  detachMount(folder, "at.moved", mountId, "refused");
  assert.equal(mountsAt(`${at}.moved`), 0);
});

test("a link in the place of a mount point is not followed by its unmount", { skip: needsRoot }, (t) => {
  const { dir, tree, at } = place(t);
  using of = walk(tree);
  using point = walk(at);
  {
    using mount = detachedMount(of, { access: "read-only", links: "followed" });
    attachMount(mount, point);
  }
  symlinkSync("at", path.join(dir, "alias"));
  using folder = walk(dir);
  using there = folder.open("at");
  const { mountId } = there.status();
  there[Symbol.dispose]();
  assert.ok(mountId !== null);
  // The link comes between the look and the call.
  let looks = 0;
  const racing = new FolderHandle(folder.release(), dir, {
    ...kernel,
    umount2: (name, flags) => ((looks += 1), kernel.umount2(name.replace(/at$/, "alias"), flags)),
  });
  using owned = racing;
  assert.equal(refusalFrom(() => detachMount(owned, "at", mountId, "ignored")).code, "E_PATH_FAILED");
  assert.deepEqual([looks, mountsAt(at)], [1, 1]);
});

test(
  "a mount in use stays where use is refused, and leaves the table where it is ignored",
  { skip: needsRoot },
  (t) => {
    const { dir, tree, at } = place(t);
    using of = walk(tree);
    using point = walk(at);
    using mount = detachedMount(of, { access: "read-only", links: "followed" });
    attachMount(mount, point);
    const { mountId } = mount.status();
    assert.ok(mountId !== null);
    using folder = walk(dir);
    const refused = refusalFrom(() => detachMount(folder, "at", mountId, "refused"));
    assert.match(refused.message, /^Unmounting .*at failed: it is in use, or a mount point \(EBUSY\)/);
    assert.match(refused.hint, /fuser -vm/);
    detachMount(folder, "at", mountId, "ignored");
    assert.equal(mountsAt(at), 0);
  },
);

test("a tree of mounts on a file system in memory is built, shown and taken away as one", { skip: needsRoot }, (t) => {
  const { dir, tree, at } = place(t);
  using of = walk(tree);
  using point = walk(at);
  using root = detachedTmpfs("holdstill-test", { size: "1m", mode: "0755" });
  attachMount(root, point);
  using sub = root.mkdir("srv", 0o755);
  using view = detachedMount(of, { access: "read-only", links: "followed" });
  attachMount(view, sub);
  using file = of.file("file");
  root.create("file", 0o644)[Symbol.dispose]();
  using single = root.entry("file");
  using shown = detachedMount(file, { access: "read-only", links: "followed" });
  attachMount(shown, single);
  makeReadOnly(root);
  assert.equal(readFileSync(path.join(at, "srv/file"), "utf8"), "content");
  assert.equal(readFileSync(path.join(at, "file"), "utf8"), "content");
  assert.throws(() => mkdirSync(path.join(at, "x")), /EROFS/);
  assert.equal(readMounts().find(({ mountPoint }) => mountPoint === at)?.source, "holdstill-test");
  using folder = walk(dir);
  detachMount(folder, "at", root.status().mountId ?? 0, "ignored");
  assert.equal(readMounts().filter(({ mountPoint }) => mountPoint.startsWith(dir)).length, 0);
});

test("a kernel without these calls is a refusal in words", { skip: needsRoot }, (t) => {
  const { tree } = place(t);
  using of = walk(tree, {}, { ...kernel, openTree: () => -38 });
  const refused = refusalFrom(() => detachedMount(of, { access: "read-only", links: "followed" }));
  assert.match(refused.message, /this kernel is too old: it must be Linux 5\.12/);
  using attributes = walk(tree, {}, { ...kernel, mountSetattr: () => -22 });
  const before = readdirSync("/proc/self/fd").length;
  assert.equal(
    refusalFrom(() => detachedMount(attributes, { access: "read-only", links: "barred" })).code,
    "E_PATH_FAILED",
  );
  assert.equal(readdirSync("/proc/self/fd").length, before);
});

test(
  "a subvolume in a tree is another file system: it stays when the tree is removed",
  { skip: needsRoot },
  async (t) => {
    const dir = loopFs(t, "btrfs");
    if (dir === null) return;
    mkdirSync(path.join(dir, "tree/plain"), { recursive: true });
    execFileSync("btrfs", ["subvolume", "create", path.join(dir, "tree/volume")], { stdio: "ignore" });
    writeFileSync(path.join(dir, "tree/volume/file"), "");
    using folder = walk(dir);
    const refused = await refusalOf(removeTree(folder, "tree"));
    assert.equal(refused.code, "E_PATH_UNSAFE");
    assert.match(refused.message, /tree\/volume is not used because it is another file system or subvolume/);
    assert.deepEqual(readdirSync(path.join(dir, "tree")), ["volume"]);
    assert.ok(existsSync(path.join(dir, "tree/volume/file")));
  },
);
