/** Files of other users in plugins and above them. Only root can give a file away. */
import assert from "node:assert/strict";
import { chmodSync, chownSync, lchownSync, mkdirSync, symlinkSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { trustProblems } from "#core/host/trust/folder-problems.js";
import { trustedUser } from "#core/base/trust/ownership.js";
import { writePlugin } from "../../../support/fixture/plugin-folder.js";
import { tempDir } from "../../../support/storage/temp.js";

const skip = process.getuid?.() !== 0 && "giving a file away needs root";
const me = await trustedUser();

for (const name of ["node_modules", "package.json"]) {
  test(`another user's ${name} in a sticky folder above counts, for Node looks there`, { skip }, async (t) => {
    const above = path.join(tempDir(t), "sticky");
    const dir = writePlugin(path.join(above, "deep/a"));
    chmodSync(above, 0o1777);
    const planted = path.join(above, name);
    mkdirSync(planted);
    assert.deepEqual(await trustProblems(dir, me), []);
    chownSync(planted, 12_345, 12_345);
    assert.match(await told(dir), /sticky\/.* is owned by user 12345/);
  });
}

test("a sticky folder above must still be ours, for its owner may move what is in it", { skip }, async (t) => {
  const above = path.join(tempDir(t), "sticky");
  const dir = writePlugin(path.join(above, "a"));
  chmodSync(above, 0o1777);
  chownSync(above, 12_345, 0);
  assert.match(await told(dir), /sticky is owned by user 12345/);
});

test("a file of another user is named with the chown that fixes it", { skip }, async (t) => {
  const dir = writePlugin(path.join(tempDir(t), "a"));
  const file = path.join(dir, "index.js");
  chownSync(file, 12_345, 0);
  assert.deepEqual(await trustProblems(dir, me), [
    { path: file, problem: `${file} is owned by user 12345`, remedy: `chown 0 ${file}` },
  ]);
  assert.deepEqual(await trustProblems(dir, { ...me, uid: 12_345 }), [], "but not for that user");
  chownSync(file, 0, 0);
  symlinkSync("index.js", path.join(dir, "link.js"));
  lchownSync(path.join(dir, "link.js"), 12_345, 0);
  assert.match(await told(dir), /link\.js is owned by/);
});

async function told(dir: string): Promise<string> {
  return (await trustProblems(dir, me)).map(({ problem }) => problem).join("\n");
}
