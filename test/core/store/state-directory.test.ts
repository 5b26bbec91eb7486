/** The state directory: whose it may be, and who may write to it. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { makeStateDir, stateDir, writeDurably } from "#core/store/state-directory.js";
import { tempDir } from "../../support/storage/temp.js";

const modeOf = (file: string): number => statSync(file).mode & 0o7777;

test("the state directory is made with its parents, for the user alone", (t) => {
  const state = stateDir(path.join(tempDir(t), "some/where"));
  makeStateDir(state);
  makeStateDir(state);
  assert.deepEqual(readdirSync(state.root).toSorted(), ["leases", "plugins", "sets", "transactions", "volumes"]);
  assert.equal(modeOf(state.root), 0o700);
  assert.equal(modeOf(state.sets), 0o700);
});

test("a folder that everybody may write to is refused, also behind a symbolic link, and is not changed", (t) => {
  const dir = tempDir(t);
  const link = path.join(dir, "link");
  const shared = path.join(dir, "shared");
  mkdirSync(shared);
  chmodSync(shared, 0o1777);
  symlinkSync(shared, link);
  for (const root of [shared, link]) assert.throws(() => makeStateDir(stateDir(root)), { code: "E_STATE_DIR" });
  assert.equal(modeOf(shared), 0o1777);
});

test("a folder of the user's own that a group may write to is closed to it", (t) => {
  const dir = path.join(tempDir(t), "state");
  mkdirSync(dir);
  chmodSync(dir, 0o775);
  makeStateDir(stateDir(dir));
  assert.equal(modeOf(dir), 0o700);
});

test("a symbolic link to a folder of the user's own is followed, and the folder's mode kept", (t) => {
  const dir = tempDir(t);
  mkdirSync(path.join(dir, "disk"));
  chmodSync(path.join(dir, "disk"), 0o750);
  symlinkSync("disk", path.join(dir, "state"));
  makeStateDir(stateDir(path.join(dir, "state")));
  assert.equal(modeOf(path.join(dir, "disk")), 0o750);
});

test("a file in place of the state directory is refused with the system's reason", (t) => {
  const file = path.join(tempDir(t), "state");
  writeFileSync(file, "");
  assert.throws(
    () => makeStateDir(stateDir(file)),
    (error: { code: string; message: string }) => {
      assert.equal(error.code, "E_STATE_DIR");
      assert.match(error.message, /EEXIST/);
      return true;
    },
  );
});

test("a file that is written durably is there whole, and nothing beside it", (t) => {
  const dir = tempDir(t);
  writeDurably(path.join(dir, "set.json"), "one");
  writeDurably(path.join(dir, "set.json"), "two");
  assert.deepEqual(readdirSync(dir), ["set.json"]);
  assert.equal(readFileSync(path.join(dir, "set.json"), "utf8"), "two");
});
