/** The folder of a cluster, in which root works while the server's user changes it. */
import assert from "node:assert/strict";
import fs, {
  chownSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { Folder } from "@holdstill/writer-postgres/dist/folder.js";
import { mallory, needsRoot } from "../../support/process/as-user.js";
import { onEnd } from "../../support/process/on-end.js";
import { tempDir } from "../../support/storage/temp.js";

const skip = needsRoot;

/** A folder of the server's user, with a file that only root may read. */
function cluster(t: TestContext): { dir: string; secret: string; folder: Folder } {
  const dir = path.join(tempDir(t), "data");
  mkdirSync(dir);
  chownSync(dir, mallory.uid, mallory.gid);
  const secret = path.join(dir, "secret");
  writeFileSync(secret, "of root\n", { mode: 0o600 });
  const folder = Folder.open(dir);
  onEnd(t, () => folder.close());
  return { dir, secret, folder };
}

/** Does something each time when one of these calls of node:fs has ended. */
function after(t: TestContext, name: "copyFileSync" | "mkdirSync" | "symlinkSync", act: () => void): void {
  const call = fs[name] as (...args: unknown[]) => unknown;
  const set = (to: typeof call): void => {
    Object.assign(fs, { [name]: to });
    syncBuiltinESMExports();
  };
  onEnd(t, () => set(call));
  set((...args) => {
    const result = call(...args);
    set(call);
    act();
    return result;
  });
}

test("what the user puts in the place of a file that root copies is not given to the user", { skip }, (t) => {
  const { dir, secret, folder } = cluster(t);
  const from = path.join(tempDir(t), "from");
  writeFileSync(from, "WAL");
  after(t, "copyFileSync", () => renameSync(secret, path.join(dir, "wal")));
  assert.throws(() => folder.receive(from, "wal"), { code: "PATH_UNSAFE" });
  assert.equal(statSync(path.join(dir, "wal")).uid, 0);
});

test("what the user puts in the place of a link or folder that root makes is not given to the user", { skip }, (t) => {
  const { dir, secret, folder } = cluster(t);
  after(t, "symlinkSync", () => renameSync(secret, path.join(dir, "link")));
  assert.throws(() => folder.link("link", "/"), { code: "PATH_UNSAFE" });
  assert.equal(statSync(path.join(dir, "link")).uid, 0);

  const inner = path.join(dir, "roots");
  mkdirSync(inner);
  writeFileSync(path.join(inner, "file"), "");
  after(t, "mkdirSync", () => renameSync(inner, path.join(dir, "folder")));
  assert.throws(() => folder.folder("folder"));
  for (const name of ["roots", "folder"].filter((one) => fs.existsSync(path.join(dir, one))))
    assert.equal(statSync(path.join(dir, name)).uid, 0);
});

test("text is added to a file of the user alone, and such a file is not given to anyone", { skip }, (t) => {
  const { dir, secret, folder } = cluster(t);
  renameSync(secret, path.join(dir, "conf"));
  assert.throws(() => folder.write("conf", "append", "x = 1\n"), { code: "PATH_UNSAFE" });
  const { uid } = lstatSync(path.join(dir, "conf"));
  assert.deepEqual([uid, readFileSync(path.join(dir, "conf"), "utf8")], [0, "of root\n"]);
  folder.write("own", "create", "a\n");
  folder.write("own", "append", "b\n");
  folder.write("new", "append", "c\n");
  for (const [name, text] of [
    ["own", "a\nb\n"],
    ["new", "c\n"],
  ] as const) {
    assert.equal(statSync(path.join(dir, name)).uid, mallory.uid);
    assert.equal(readFileSync(path.join(dir, name), "utf8"), text);
  }
});

test("a link that is not root's does not lead to a cluster, and root's does", { skip }, (t) => {
  const { dir } = cluster(t);
  const inner = path.join(dir, "inner");
  mkdirSync(inner);
  symlinkSync(inner, path.join(dir, "link"));
  assert.throws(() => Folder.open(path.join(dir, "link")), { code: "PATH_UNSAFE" });
  const link = path.join(tempDir(t), "link");
  symlinkSync(inner, link);
  const folder = Folder.open(link);
  folder.write("here", "create", "");
  folder.close();
  assert.ok(fs.existsSync(path.join(inner, "here")));
});
