import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lchownSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import type { FolderHandle } from "#kit/folder-handle.js";
import { withHandles } from "#kit/path-handle.js";
import { PluginError } from "#kit/plugin-error.js";
import { walk, walkTo, type WalkRules } from "#kit/walk.js";
import { alice, needsRoot } from "../../support/process/as-user.js";
import { tempDir } from "../../support/storage/temp.js";

/** A folder with a/b/file, a link to the outside, and a FIFO. */
function playground(t: TestContext): { dir: string; outside: string } {
  const root = realpathSync(tempDir(t));
  chmodSync(root, 0o755);
  const [dir, outside] = [path.join(root, "dir"), path.join(root, "outside")];
  mkdirSync(path.join(dir, "a/b"), { recursive: true });
  mkdirSync(outside);
  writeFileSync(path.join(dir, "a/b/file"), "content");
  writeFileSync(path.join(outside, "secret"), "secret");
  symlinkSync(outside, path.join(dir, "link"));
  execFileSync("mkfifo", [path.join(dir, "fifo")]);
  return { dir, outside };
}

function refusalFrom(act: () => unknown): PluginError {
  try {
    const result = act();
    if (typeof result === "object" && result !== null && Symbol.dispose in result)
      (result as Disposable)[Symbol.dispose]();
  } catch (error) {
    assert.ok(error instanceof PluginError, `threw ${String(error)}`);
    return error as PluginError;
  }
  return assert.fail("nothing was thrown");
}

const descriptors = (): number => readdirSync("/proc/self/fd").length;

test("folders and files below a folder are opened, and links are refused by name and owner", (t) => {
  const { dir } = playground(t);
  using folder = walk(dir);
  using inner = folder.open("a/b");
  assert.equal(inner.path, path.join(dir, "a/b"));
  using file = folder.file("a/b/file");
  assert.equal(file.read(100).toString(), "content");
  assert.equal(refusalFrom(() => file.read(6)).code, "PATH_UNSAFE");
  for (const relative of ["link", "link/secret"]) {
    const refused = refusalFrom(() => folder.file(relative));
    assert.equal(refused.code, "PATH_UNSAFE");
    assert.match(refused.message, /link is not used because it is a symbolic link/);
    assert.equal(refused.details?.["owner"], process.getuid?.());
  }
  assert.equal(refusalFrom(() => folder.open("link")).code, "PATH_UNSAFE");
  assert.match(refusalFrom(() => folder.file("a")).message, /it is a folder, not a regular file/);
  assert.match(refusalFrom(() => folder.file("fifo")).message, /it is a FIFO, not a regular file/);
  const missing = refusalFrom(() => folder.file("a/none"));
  assert.deepEqual([missing.code, missing.details?.["errno"]], ["PATH_FAILED", "ENOENT"]);
  assert.match(missing.message, /^Opening .*\/a\/none failed: no such file or directory \(ENOENT\)\.$/);
  using link = folder.entry("link");
  assert.equal(link.status().type, "symbolic link");
});

test("a path that could lead out of the folder is not a path below it", (t) => {
  const { dir } = playground(t);
  using folder = walk(dir);
  for (const relative of ["..", "../outside", "a/../../outside", "/etc", "", ".", "a//b", "a/b/", "a\0b"])
    assert.equal(refusalFrom(() => folder.entry(relative)).code, "PATH_UNSAFE", JSON.stringify(relative));
  for (const wrong of ["a/b", "..", ""]) {
    for (const act of [
      () => folder.mkdir(wrong),
      () => folder.create(wrong),
      () => folder.find(wrong),
      () => folder.unlink(wrong),
      () => folder.renameTo("a", folder, wrong),
    ])
      assert.equal(refusalFrom(act).code, "PATH_UNSAFE");
  }
  for (const wrong of ["a", "", `${dir}/a/../b`]) assert.equal(refusalFrom(() => walk(wrong)).code, "PATH_UNSAFE");
});

test("what is opened stays what it is when its name is taken by something else", (t) => {
  const { dir, outside } = playground(t);
  using folder = walk(dir);
  using inner = folder.open("a/b");
  renameSync(path.join(dir, "a"), path.join(dir, "moved"));
  symlinkSync(outside, path.join(dir, "a"));
  using made = inner.create("new");
  made.chmod(0o640);
  assert.equal(statSync(path.join(dir, "moved/b/new")).mode & 0o777, 0o640);
  assert.deepEqual(readdirSync(outside), ["secret"]);
  assert.equal(execFileSync("ls", [inner.sharedPath + "/"], { encoding: "utf8" }), "file\nnew\n");
});

test("folders, files and renames", (t) => {
  const { dir } = playground(t);
  using folder = walk(dir);
  using made = folder.mkdir("made", 0o751);
  assert.equal(statSync(path.join(dir, "made")).mode & 0o777, 0o751);
  made.create("x")[Symbol.dispose]();
  made.sync();
  assert.deepEqual(folder.list().map(String).toSorted(), ["a", "fifo", "link", "made"]);
  assert.equal(refusalFrom(() => folder.mkdir("made")).details?.["errno"], "EEXIST");
  assert.equal(refusalFrom(() => folder.create("link")).details?.["errno"], "EEXIST");
  made.renameTo("x", folder, "y", made.find("x") ?? undefined);
  assert.ok(existsSync(path.join(dir, "y")));
  const other = refusalFrom(() => folder.renameTo("y", made, "z", { identity: "another" }));
  assert.equal(other.code, "PATH_UNSAFE");
  assert.equal(refusalFrom(() => folder.rmdir("a")).details?.["errno"], "ENOTEMPTY");
  folder.unlink("fifo");
  folder.unlink("fifo");
  assert.equal(folder.find("fifo"), null);
  using b = folder.openOrMake("b");
  using again = folder.openOrMake("b");
  assert.equal(b.status().identity, again.status().identity);
});

test("a name that is not UTF-8 comes as its bytes, and is found by them", (t) => {
  const dir = tempDir(t);
  const name = Buffer.from([0x66, 0xff, 0x66]);
  writeFileSync(Buffer.concat([Buffer.from(`${dir}/`), name]), "x");
  using folder = walk(dir);
  const [found = ""] = folder.list();
  assert.deepEqual(Buffer.from(found), name);
  assert.equal(folder.find(name)?.type, "file");
  folder.unlink(name);
  assert.deepEqual(folder.list(), []);
});

test("a file is copied as far as it reached when the copy began, and only its content", async (t) => {
  const dir = tempDir(t);
  const bytes = Buffer.alloc(3 * 2 ** 20 + 1, "content");
  writeFileSync(path.join(dir, "source"), bytes, { mode: 0o755 });
  using folder = walk(dir);
  using source = folder.file("source");
  using copy = folder.create("copy");
  await source.copyTo(copy);
  assert.deepEqual(readFileSync(path.join(dir, "copy")), bytes);
  assert.equal(copy.status().mode, 0o600);
  truncateSync(path.join(dir, "source"), 0);
  using empty = folder.create("empty");
  await source.copyTo(empty);
  assert.equal(empty.status().size, 0);
  await assert.rejects(copy.copyTo(empty, AbortSignal.abort(new Error("over"))), /over/);
});

test("a program inherits held folders, whatever their names lead to by then, also as another user", (t) => {
  const { dir, outside } = playground(t);
  using one = walk(path.join(dir, "a"));
  using two = walk(path.join(dir, "a/b"));
  renameSync(path.join(dir, "a"), path.join(dir, "moved"));
  symlinkSync(outside, path.join(dir, "a"));
  const [shell, args] = withHandles([one, two], "ls", ["/proc/self/fd/3/", "/proc/self/fd/4/"]);
  assert.equal(execFileSync(shell, args, { encoding: "utf8" }), "/proc/self/fd/3/:\nb\n\n/proc/self/fd/4/:\nfile\n");
  if (process.getuid?.() !== 0) return;
  const other = withHandles([two], "setpriv", ["--reuid=65534", "--clear-groups", "cat", "/proc/self/fd/3/file"]);
  assert.equal(execFileSync(...other, { encoding: "utf8" }), "content");
});

test("a mount below is entered, or refused", () => {
  using root = walk("/");
  using processes = root.open("proc");
  assert.notEqual(processes.mountId(), root.mountId());
  assert.match(
    refusalFrom(() => root.open("proc/1", { mounts: "refused" })).message,
    /\/proc is not used because another file system/,
  );
});

test("the owner and mode of a file with several names are not changed", (t) => {
  const dir = tempDir(t);
  writeFileSync(path.join(dir, "one"), "");
  linkSync(path.join(dir, "one"), path.join(dir, "other"));
  using folder = walk(dir);
  using file = folder.entry("other");
  for (const change of [() => file.chown(1, 1), () => file.chmod(0o777)])
    assert.match(refusalFrom(change).message, /other is not used because it has 2 names/);
});

test("what is missing is made, below what is safe", (t) => {
  const dir = tempDir(t);
  using made = walk(path.join(dir, "x/y/z"), { missing: 0o750 });
  assert.deepEqual([made.path, made.status().mode], [path.join(dir, "x/y/z"), 0o750]);
  assert.equal(refusalFrom(() => walk(path.join(dir, "no/way"))).details?.["errno"], "ENOENT");
  assert.equal(refusalFrom(() => walk("/proc/self/x", { missing: 0o755 })).code, "PATH_FAILED");
});

test(
  "another user's folder on the way is refused, and what lies in it, and a link of another user",
  { skip: needsRoot },
  (t) => {
    const { dir, outside } = playground(t);
    const at = (name: string): string => path.join(dir, name);
    for (const name of ["alice/data", "alice/roots", "shared/data", "sticky/data", "group/data"])
      mkdirSync(at(name), { recursive: true });
    symlinkSync(outside, at("hers"));
    symlinkSync(at("a"), at("alice/link"));
    symlinkSync("../dir/link/../dir/a", at("chain"));
    symlinkSync("loop", at("loop"));
    for (const name of ["alice", "alice/data", "hers"]) lchownSync(at(name), alice.uid, alice.gid);
    chmodSync(at("shared"), 0o777);
    chmodSync(at("sticky"), 0o1777);
    chmodSync(at("group"), 0o775);
    const reason = (name: string, rules: WalkRules = {}): string => {
      const refused = refusalFrom(() => walk(at(name), rules));
      assert.equal(refused.code, "PATH_UNSAFE");
      return refused.message;
    };
    const hers = { owner: alice.uid };
    assert.match(reason("alice/data"), new RegExp(`alice is not used because user ${alice.uid} owns it`));
    walk(at("alice/data"), hers)[Symbol.dispose]();
    assert.match(reason("alice/roots", hers), /it belongs to user 0, but user \d+ owns .*alice and can replace it/);
    assert.match(reason("shared/data"), /every user may write to it/);
    assert.match(reason("group/data"), /group 0 may write to it/);
    walk(at("group/data"), { group: 0 })[Symbol.dispose]();
    assert.match(reason("shared/data", { group: 0 }), /every user may write to it/);
    walk(at("sticky/data"))[Symbol.dispose]();
    assert.match(reason("hers"), /user \d+ owns it/);
    assert.match(reason("hers", hers), /it is a symbolic link, and .* belongs to user/);
    assert.match(reason("alice/link", hers), /belongs to user 0, but/);
    using followed = walk(at("chain"));
    assert.equal(followed.status().identity.split(":")[1], String(statSync(at("a")).ino));
    assert.equal(refusalFrom(() => walk(at("loop"))).details?.["errno"], "ELOOP");
    assert.match(refusalFrom(() => walk(at("a/b/file"))).message, /it is a file, not a folder/);
    using file = walkTo(at("a/b/file"));
    assert.equal(file.status().type, "file");
    using top: FolderHandle = walk(dir);
    assert.equal(refusalFrom(() => top.open("alice")).code, "PATH_UNSAFE");
    top.open("alice/data", { owners: "any" })[Symbol.dispose]();
    assert.equal(refusalFrom(() => top.open("alice/link", { owners: "any" })).code, "PATH_UNSAFE");
  },
);

test("no descriptor stays open, whether it works or is refused, and a closed handle is not used again", (t) => {
  const { dir } = playground(t);
  const before = descriptors();
  for (let round = 0; round < 3; round += 1) {
    using folder = walk(dir);
    folder.open("a/b")[Symbol.dispose]();
    for (const act of [
      () => folder.open("link/x"),
      () => folder.file("fifo"),
      () => folder.file("a/b/none/x"),
      () => folder.mkdir("a"),
      () => folder.open("a/b/file/x"),
      () => folder.open("a/none/x"),
      () => walk(path.join(dir, "link/none")),
      () => walk(path.join(dir, "a/b/file")),
    ])
      refusalFrom(act);
    folder.sync();
  }
  assert.equal(descriptors(), before);
  const folder = walk(dir);
  folder[Symbol.dispose]();
  folder[Symbol.dispose]();
  assert.throws(() => folder.list(), /is closed/);
});
