/** What a writer leaves with the set is checked and summed. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import type { Who } from "#core/base/errors/details.js";
import { keepSidecar } from "#core/store/sidecar.js";
import { refusalOf } from "../../support/process/refusal.js";
import { tempDir } from "../../support/storage/temp.js";

const never = new AbortController().signal;
const who: Who = { role: "writer", instance: "db", plugin: "writer-postgres", version: "1.0.0" };

test("each file is recorded with its size and its checksum", async (t) => {
  const dir = tempDir(t);
  mkdirSync(path.join(dir, "wal"));
  writeFileSync(path.join(dir, "backup_label"), "abc");
  writeFileSync(path.join(dir, "wal/none"), "");
  assert.deepEqual(await keepSidecar(dir, { files: ["backup_label", "wal/none"] }, who, never), {
    dir,
    files: [
      // The examples of FIPS 180-2, appendix B.1, and of the empty message.
      { path: "backup_label", bytes: 3, sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
      { path: "wal/none", bytes: 0, sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
    ],
  });
});

test("a sidecar may be empty", async (t) => {
  const dir = tempDir(t);
  assert.deepEqual(await keepSidecar(dir, { files: [] }, who, never), { dir, files: [] });
});

test("everything that is not a plain file of the writer's own folder is refused, all at once", async (t) => {
  const dir = tempDir(t);
  const outside = tempDir(t);
  writeFileSync(path.join(outside, "shadow"), "secret");
  writeFileSync(path.join(dir, "good"), "");
  symlinkSync(path.join(outside, "shadow"), path.join(dir, "link"));
  symlinkSync("good", path.join(dir, "inner-link"));
  symlinkSync(outside, path.join(dir, "folder-link"));
  mkdirSync(path.join(dir, "folder"));
  execFileSync("mkfifo", [path.join(dir, "pipe")]);
  const files = ["good", "missing", "link", "inner-link", "folder-link/shadow", "folder", "pipe", "good/under"];
  const refusal = await refusalOf(keepSidecar(dir, { files }, who, never));
  assert.equal(refusal.code, "E_ANSWER_INVALID");
  const { findings } = refusal.details as { findings: { pointer: string; seen: string }[] };
  assert.deepEqual(
    findings.map(({ pointer, seen }) => [pointer, seen]),
    files.slice(1).map((file, at) => [`/files/${at + 1}`, file]),
  );
});

test("a folder that is itself reached by way of a symbolic link is the writer's own all the same", async (t) => {
  const dir = tempDir(t);
  mkdirSync(path.join(dir, "disk"));
  writeFileSync(path.join(dir, "disk/notes"), "abc");
  symlinkSync("disk", path.join(dir, "state"));
  const { files } = await keepSidecar(path.join(dir, "state"), { files: ["./notes"] }, who, never);
  assert.equal(files[0]?.bytes, 3);
});

test("what is too much to be read ends as soon as it is told to, with the reason", async (t) => {
  const dir = tempDir(t);
  writeFileSync(path.join(dir, "wal"), "");
  // Minutes, if it is read to its end.
  truncateSync(path.join(dir, "wal"), 2 ** 38);
  const ending = new AbortController();
  const kept = keepSidecar(dir, { files: ["wal"] }, who, ending.signal);
  const reason = new Error("enough");
  setTimeout(() => ending.abort(reason), 50);
  await assert.rejects(kept, reason);
});
