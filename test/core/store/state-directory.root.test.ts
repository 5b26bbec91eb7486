/** State directories of other users. Only root can give a folder away. */
import assert from "node:assert/strict";
import { chownSync, lchownSync, mkdirSync, readdirSync, statSync, symlinkSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { makeStateDir, stateDir } from "#core/store/state-directory.js";
import { tempDir } from "../../support/storage/temp.js";

const skip = process.getuid?.() !== 0 && "giving a file away needs root";

test("a state directory of another user is refused", { skip }, (t) => {
  const dir = path.join(tempDir(t), "state");
  mkdirSync(dir);
  chownSync(dir, 12_345, 12_345);
  assert.throws(() => makeStateDir(stateDir(dir)), {
    code: "E_STATE_DIR",
    details: { path: dir, problem: "it belongs to user 12345" },
  });
  assert.deepEqual(readdirSync(dir), []);
});

test("a symbolic link to another user's folder is refused, and so is another user's link", { skip }, (t) => {
  const dir = tempDir(t);
  const [theirs, link, foreign] = ["theirs", "link", "foreign"].map((name) => path.join(dir, name)) as [
    string,
    string,
    string,
  ];
  mkdirSync(theirs, { mode: 0o755 });
  chownSync(theirs, 12_345, 12_345);
  symlinkSync(theirs, link);
  mkdirSync(path.join(dir, "ours"));
  symlinkSync(path.join(dir, "ours"), foreign);
  lchownSync(foreign, 12_345, 12_345);
  for (const root of [link, foreign]) assert.throws(() => makeStateDir(stateDir(root)), { code: "E_STATE_DIR" });
  assert.equal(statSync(theirs).mode & 0o7777, 0o755);
});
