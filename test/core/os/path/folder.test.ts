import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import type { FolderHandle } from "#core/os/path/folder.js";
import type { Syscalls } from "#core/os/path/syscalls.js";
import { walk } from "#core/os/path/walk.js";
import { alice, asUser, needsRoot } from "../../../support/process/as-user.js";
import { refusalFrom } from "../../../support/process/path-refusal.js";
import { hooked, kernels } from "../../../support/storage/raced-syscalls.js";
import { tempDir } from "../../../support/storage/temp.js";

/** A folder with a/b/file, a link to the outside, and a FIFO. */
function playground(t: TestContext): { dir: string; outside: string } {
  const root = tempDir(t);
  const [dir, outside] = [path.join(root, "dir"), path.join(root, "outside")];
  mkdirSync(path.join(dir, "a/b"), { recursive: true });
  mkdirSync(outside);
  writeFileSync(path.join(dir, "a/b/file"), "content");
  writeFileSync(path.join(outside, "secret"), "secret");
  symlinkSync(outside, path.join(dir, "link"));
  execFileSync("mkfifo", [path.join(dir, "fifo")]);
  return { dir, outside };
}

const descriptors = (): number => readdirSync("/proc/self/fd").length;

for (const [name, sys] of Object.entries(kernels)) {
  const open = (dir: string, table: Syscalls = sys): FolderHandle => walk(dir, {}, table);

  test(`${name}: folders and files below a folder are opened, and links are refused by name and owner`, (t) => {
    const { dir } = playground(t);
    using folder = open(dir);
    using inner = folder.open("a/b");
    assert.equal(inner.path, path.join(dir, "a/b"));
    using file = folder.file("a/b/file");
    assert.equal(file.read(100).toString(), "content");
    for (const relative of ["link", "link/secret"]) {
      const refused = refusalFrom(() => folder.file(relative));
      assert.equal(refused.code, "E_PATH_UNSAFE");
      assert.match(refused.message, /link is not used because it is a symbolic link/);
      assert.equal((refused.details as { owner: number }).owner, process.getuid?.());
    }
    assert.equal(refusalFrom(() => folder.open("link")).code, "E_PATH_UNSAFE");
    assert.match(refusalFrom(() => folder.file("a")).message, /it is a folder, not a regular file/);
    assert.match(refusalFrom(() => folder.file("a/none")).message, /it does not exist \(ENOENT\)/);
    using link = folder.entry("link");
    assert.equal(link.status().type, "symbolic link");
  });

  test(`${name}: a path that could lead out of the folder is not a path below it`, (t) => {
    const { dir } = playground(t);
    using folder = open(dir);
    for (const relative of ["..", "../outside", "a/../../outside", "/etc", "", ".", "a//b", "a/b/", "a\0b"])
      assert.equal(refusalFrom(() => folder.entry(relative)).code, "E_PATH_UNSAFE", JSON.stringify(relative));
    for (const wrong of ["a/b", "..", ""]) {
      assert.equal(refusalFrom(() => folder.mkdir(wrong)).code, "E_PATH_UNSAFE");
      assert.equal(refusalFrom(() => folder.unlink(wrong)).code, "E_PATH_UNSAFE");
      assert.equal(refusalFrom(() => folder.renameTo("a", folder, wrong, "new")).code, "E_PATH_UNSAFE");
    }
  });

  test(`${name}: what is opened stays what it is when its name is taken by something else`, (t) => {
    const { dir, outside } = playground(t);
    using folder = open(dir);
    using inner = folder.open("a/b");
    renameSync(path.join(dir, "a"), path.join(dir, "moved"));
    symlinkSync(outside, path.join(dir, "a"));
    using made = inner.create("new");
    assert.ok(existsSync(path.join(dir, "moved/b/new")));
    assert.deepEqual(readdirSync(outside), ["secret"]);
    made.chmod(0o640);
    assert.equal(statSync(path.join(dir, "moved/b/new")).mode & 0o777, 0o640);
  });

  test(`${name}: a FIFO, a socket or a device is refused at once, and is not opened`, (t) => {
    const { dir } = playground(t);
    using folder = open(dir);
    assert.match(refusalFrom(() => folder.file("fifo")).message, /it is a FIFO, not a regular file/);
    using devices = open("/dev");
    assert.match(refusalFrom(() => devices.file("null")).message, /it is a character device/);
  });

  test(`${name}: a mount below is entered, or refused`, () => {
    using root = open("/");
    using processes = root.open("proc");
    assert.notEqual(processes.status().mountId ?? 0, root.status().mountId ?? 1);
    assert.equal(refusalFrom(() => root.open("proc/1", { mounts: "refused" })).code, "E_PATH_UNSAFE");
    assert.match(
      refusalFrom(() => root.open("proc", { mounts: "refused" })).message,
      /\/proc is not used because another file system/,
    );
  });

  test(`${name}: folders, files, links and renames`, (t) => {
    const { dir } = playground(t);
    using folder = open(dir);
    {
      using made = folder.mkdir("made", 0o751);
      assert.equal(statSync(path.join(dir, "made")).mode & 0o777, 0o751);
      using file = made.create("x", 0o600);
      file.sync();
      made.sync();
      made.link("y", "x");
    }
    assert.deepEqual(folder.list().map(String).toSorted(), ["a", "fifo", "link", "made"]);
    assert.match(refusalFrom(() => folder.mkdir("made")).message, /exists already \(EEXIST\)/);
    const made = folder.find("made");
    assert.ok(made);
    folder.renameTo("made", folder, "a", "swap", made);
    assert.ok(existsSync(path.join(dir, "a/x")) && existsSync(path.join(dir, "made/b")));
    assert.match(refusalFrom(() => folder.renameTo("made", folder, "a", "new")).message, /EEXIST/);
    const refused = refusalFrom(() => folder.renameTo("made", folder, "a", "swap", { identity: "another" }));
    assert.equal(refused.code, "E_PATH_UNSAFE");
    assert.ok(existsSync(path.join(dir, "a/x")), "swapped back");
    folder.unlink("fifo");
    folder.unlink("fifo");
    assert.match(refusalFrom(() => folder.rmdir("a")).message, /it is not empty/);
    assert.equal(folder.find("fifo"), null);
    using b = folder.openOrMake("b");
    using again = folder.openOrMake("b");
    assert.equal(b.status().identity, again.status().identity);
  });

  test(`${name}: no descriptor stays open, whether it works or is refused`, (t) => {
    const { dir } = playground(t);
    const before = descriptors();
    for (let round = 0; round < 3; round += 1) {
      using folder = open(dir);
      folder.open("a/b")[Symbol.dispose]();
      refusalFrom(() => folder.open("link/x"));
      refusalFrom(() => folder.file("fifo"));
      refusalFrom(() => folder.file("a/b/none/x"));
      refusalFrom(() => folder.mkdir("a"));
      refusalFrom(() => folder.open("a/b/file"));
      refusalFrom(() => open(path.join(dir, "link/none")));
      refusalFrom(() => open(path.join(dir, "a/b/file")));
      folder.sync();
    }
    assert.equal(descriptors(), before);
  });
}

test("a closed handle is not used again: its number may be that of another file", (t) => {
  const folder = walk(tempDir(t));
  folder[Symbol.dispose]();
  folder[Symbol.dispose]();
  assert.throws(() => folder.list(), /is closed/);
});

test("a name that is not UTF-8 comes as its bytes, and is found by them", (t) => {
  const dir = tempDir(t);
  const name = Buffer.from([0x66, 0xff, 0x66]);
  writeFileSync(Buffer.concat([Buffer.from(`${dir}/`), name]), "x");
  using folder = walk(dir);
  const [found] = folder.list();
  assert.deepEqual(Buffer.from(found ?? ""), name);
  assert.equal(folder.find(name)?.type, "file");
  folder.unlink(name);
  assert.deepEqual(folder.list(), []);
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

test("owner and mode change of a folder, a file, and of a link itself", { skip: needsRoot }, (t) => {
  const { dir, outside } = playground(t);
  using folder = walk(dir);
  using link = folder.entry("link");
  link.chown(7, 8);
  assert.deepEqual([lstatSync(path.join(dir, "link")).uid, statSync(outside).uid], [7, 0]);
  assert.equal(refusalFrom(() => link.chmod(0o777)).code, "E_PATH_FAILED");
  using inner = folder.open("a");
  inner.chown(9, 10);
  inner.chmod(0o2750);
  const { uid, gid, mode } = statSync(path.join(dir, "a"));
  assert.deepEqual([uid, gid, mode & 0o7777], [9, 10, 0o2750]);
});

test("a new folder whose place another user takes is refused", { skip: needsRoot }, (t) => {
  const base = tempDir(t);
  chmodSync(base, 0o755);
  for (const decoy of ["link", "full", "foreign"]) {
    const dir = path.join(base, decoy);
    mkdirSync(path.join(dir, "full"), { recursive: true });
    writeFileSync(path.join(dir, "full/file"), "");
    symlinkSync("/", path.join(dir, "link"));
    execFileSync("chown", ["-h", `${alice.uid}:${alice.gid}`, dir, path.join(dir, "link")]);
    asUser(alice, () => mkdirSync(path.join(dir, "foreign")));
    let isMade = false;
    const sys = hooked((_, call) => {
      if (isMade) {
        asUser(alice, () => {
          renameSync(path.join(dir, "new"), path.join(dir, "away"));
          renameSync(path.join(dir, decoy), path.join(dir, "new"));
        });
      }
      isMade = call === "mkdirat";
    });
    using folder = walk(dir, { owner: alice.uid }, sys);
    assert.equal(refusalFrom(() => folder.mkdir("new")).code, "E_PATH_UNSAFE", decoy);
  }
});

test("errors of the kernel are in words, with the command that shows the cause", (t) => {
  const { dir } = playground(t);
  using folder = walk(dir);
  const long = refusalFrom(() => folder.mkdir("x".repeat(300)));
  assert.match(long.message, /^Creating .* failed: the name or the path is too long \(ENAMETOOLONG\)\.$/);
  assert.match(long.hint, /^To see the cause, run: getconf NAME_MAX /);
  for (const [errno, words] of [
    [1, /the kernel does not permit this/],
    [30, /mounted read-only/],
    [28, /no space or no inodes left/],
    [122, /quota .* is exhausted/],
    [40, /a symbolic link is in the way/],
    [24, /too many files open/],
  ] as const) {
    const failing = walk(dir, {}, { ...kernels.openat2, mkdirat: () => -errno });
    const refused = refusalFrom(() => failing.mkdir("new"));
    failing[Symbol.dispose]();
    assert.equal(refused.code, "E_PATH_FAILED");
    assert.match(refused.message, words);
    assert.match(refused.hint, /^To see the cause, run: \S+/);
  }
  assert.equal(readFileSync(path.join(dir, "a/b/file"), "utf8"), "content");
});
