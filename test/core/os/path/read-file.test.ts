import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import test from "node:test";
import { readHandle, readRegularFile } from "#core/os/path/read-file.js";
import { walkTo } from "#core/os/path/walk.js";
import { refusalFrom } from "../../../support/process/path-refusal.js";
import { hooked } from "../../../support/storage/raced-syscalls.js";
import { tempDir } from "../../../support/storage/temp.js";

test("a regular file is read whole, with the status of the very file", (t) => {
  const file = path.join(tempDir(t), "file");
  writeFileSync(file, "content", { mode: 0o640 });
  const { bytes, status } = readRegularFile(file, 7);
  assert.deepEqual([bytes.toString(), status.size, status.mode], ["content", 7, 0o640]);
  writeFileSync(file, "");
  assert.equal(readRegularFile(file, 0).bytes.length, 0);
  // A file of /proc has no size.
  assert.match(readRegularFile("/proc/self/status", 100_000).bytes.toString(), /^Name:/);
  const large = Buffer.alloc(300_000, "x");
  writeFileSync(file, large);
  assert.ok(readRegularFile(file, 300_000).bytes.equals(large));
});

test("a larger file is refused, also when it grows while it is read", (t) => {
  const file = path.join(tempDir(t), "file");
  writeFileSync(file, "12345678");
  assert.match(refusalFrom(() => readRegularFile(file, 7)).message, /it is larger than 7 bytes/);
  const growing = hooked((_, call) => {
    if (call === "read") appendFileSync(file, "more");
  });
  assert.match(refusalFrom(() => readRegularFile(file, 10, growing)).message, /it is larger than 10 bytes/);
  assert.match(refusalFrom(() => readRegularFile("/proc/self/status", 100)).message, /it is larger than 100 bytes/);
});

test("what is not a regular file is refused at once with what it is, and no descriptor stays", async (t) => {
  const dir = tempDir(t);
  execFileSync("mkfifo", [path.join(dir, "fifo")]);
  mkdirSync(path.join(dir, "folder"));
  symlinkSync("fifo", path.join(dir, "link"));
  const server = createServer().listen(path.join(dir, "socket"));
  await new Promise((resolve) => server.once("listening", resolve));
  t.after(() => server.close());
  const before = readdirSync("/proc/self/fd").length;
  const begun = performance.now();
  for (const [name, type] of [
    [path.join(dir, "fifo"), "a FIFO"],
    [path.join(dir, "link"), "a FIFO"],
    [path.join(dir, "socket"), "a socket"],
    [path.join(dir, "folder"), "a folder"],
    ["/dev/zero", "a character device"],
  ] as const) {
    const refused = refusalFrom(() => readRegularFile(name, 1000));
    assert.equal(refused.code, "E_PATH_UNSAFE");
    assert.equal(refused.message, `${name} is not used because it is ${type}, not a regular file.`);
  }
  assert.ok(performance.now() - begun < 5000);
  assert.equal(refusalFrom(() => readRegularFile(path.join(dir, "none"), 1)).code, "E_PATH_FAILED");
  assert.equal(readdirSync("/proc/self/fd").length, before);
});

test("a FIFO that takes the file's place between any two calls is not waited for", (t) => {
  const dir = tempDir(t);
  const [file, fifo] = [path.join(dir, "file"), path.join(dir, "fifo")];
  writeFileSync(file, "content");
  execFileSync("mkfifo", [fifo]);
  let calls = 0;
  readRegularFile(
    file,
    100,
    hooked(() => (calls += 1)),
  );
  for (let at = 0; at < calls; at += 1) {
    const sys = hooked((index) => {
      if (index !== at) return;
      renameSync(file, `${file}.away`);
      renameSync(fifo, file);
    });
    try {
      assert.equal(readRegularFile(file, 100, sys).bytes.toString(), "content");
    } catch (error) {
      assert.match(String(error), /it is a FIFO/);
    }
    renameSync(file, fifo);
    renameSync(`${file}.away`, file);
  }
});

test("a file that another process leases is refused at once", (t) => {
  const file = path.join(tempDir(t), "file");
  writeFileSync(file, "content");
  const sys = hooked(() => undefined);
  const leased = {
    ...sys,
    openat: (...args: Parameters<typeof sys.openat>) => (args[0] === -1 ? -11 : sys.openat(...args)),
  };
  assert.match(refusalFrom(() => readRegularFile(file, 10, leased)).message, /another process has a lease on it/);
});

test("what was opened safely is read by its handle, which is closed", (t) => {
  const dir = tempDir(t);
  writeFileSync(path.join(dir, "file"), "content");
  const handle = walkTo(path.join(dir, "file"));
  assert.equal(readHandle(handle, 100).bytes.toString(), "content");
  assert.throws(() => handle.status(), /is closed/);
});
