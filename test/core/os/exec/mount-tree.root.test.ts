import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { inMountNamespace } from "#core/os/exec/mount-namespace.js";
import { canMount, mountBelow, mountTree, type ShownTree, unmountTree } from "#core/os/exec/mount-tree.js";
import { readMounts } from "#core/os/mounts.js";
import { walk } from "#core/os/path/walk.js";
import { refusalFrom } from "../../../support/process/path-refusal.js";
import { tempDir } from "../../../support/storage/temp.js";

const skip = process.getuid?.() === 0 && canMount() ? false : "mounting needs root";

interface Place {
  base: string;
  at: string;
  tree: (name: string, at: string) => ShownTree;
  mounts: () => string[];
}

function place(t: TestContext): Place {
  const base = realpathSync(tempDir(t));
  chmodSync(base, 0o755);
  for (const name of ["at", "one", "two", "secret"]) mkdirSync(path.join(base, name));
  writeFileSync(path.join(base, "two/file"), "two");
  const mounts = (): string[] =>
    readMounts()
      .map(({ mountPoint }) => mountPoint)
      .filter((point) => point.startsWith(base));
  return {
    base,
    at: path.join(base, "at"),
    tree: (name, at) => ({ open: () => walk(path.join(base, name)), at, above: new Map() }),
    mounts,
  };
}

test("one tree below another one is mounted in it, and all goes at once", { skip }, (t) => {
  const { base, at, tree, mounts } = place(t);
  mkdirSync(path.join(base, "one/x/two"), { recursive: true });
  {
    using folder = walk(at);
    mountBelow(folder, [tree("two", "/srv/x/two"), tree("one", "/srv")], "holdstill-it");
  }
  assert.deepEqual(mounts(), [at, `${at}/srv`, `${at}/srv/x/two`]);
  assert.equal(readFileSync(path.join(at, "srv/x/two/file"), "utf8"), "two");
  const top = readMounts().find(({ mountPoint }) => mountPoint === at);
  assert.ok(top !== undefined);
  unmountTree(top);
  assert.deepEqual(mounts(), []);
});

test("a link in a captured tree does not lead a mount out of it, and nothing stays mounted", { skip }, (t) => {
  const { base, at, tree, mounts } = place(t);
  symlinkSync(path.join(base, "secret"), path.join(base, "one/x"));
  using folder = walk(at);
  const refused = refusalFrom(() =>
    mountBelow(folder, [tree("one", "/srv"), tree("two", "/srv/x/two")], "holdstill-it"),
  );
  assert.equal(refused.code, "E_PATH_UNSAFE");
  assert.match(refused.message, /it is a symbolic link/);
  assert.deepEqual([mounts(), readdirSync(path.join(base, "secret")), readdirSync(at)], [[], [], []]);
  const inPlace = refusalFrom(() =>
    inMountNamespace(() => mountTree({ root: null, mounts: [tree("two", path.join(base, "one/x"))] }, "it")),
  );
  assert.match(inPlace.message, /it is a symbolic link|Mounting .* failed/);
  assert.deepEqual(mounts(), []);
});

test("what is mounted in a namespace of this thread is seen there alone", { skip }, (t) => {
  const { at, tree, mounts } = place(t);
  const cwd = process.cwd();
  const inside = inMountNamespace(() => {
    mountTree({ root: at, mounts: [tree("two", "/two")] }, "holdstill-it");
    return readFileSync(path.join(at, "two/file"), "utf8");
  });
  assert.deepEqual([inside, mounts(), readdirSync(at), process.cwd()], ["two", [], [], cwd]);
});
