import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync, symlinkSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { baseEnvironment } from "#core/os/environment.js";
import { mallory, needsRoot } from "../../support/process/as-user.js";
import { tempDir } from "../../support/storage/temp.js";

const pathOf = (...folders: string[]): string[] =>
  (baseEnvironment({ PATH: folders.join(":") })["PATH"] ?? "").split(":");

test("of the host's PATH only absolute folders count, which exist", (t) => {
  const own = tempDir(t);
  const kept = pathOf(own, "", ".", "bin", "/no/such/folder");
  assert.equal(kept[0], own);
  for (const gone of ["", ".", "bin", "/no/such/folder"]) assert.ok(!kept.includes(gone), gone);
  assert.ok(kept.includes("/usr/sbin"));
});

test("a folder that another user can change is not searched for a plugin's commands", { skip: needsRoot }, (t) => {
  const dir = tempDir(t);
  chmodSync(dir, 0o755);
  const inDir = (name: string): string => path.join(dir, name);
  for (const name of ["hers", "open", "home", "home/bin", "sticky"]) mkdirSync(inDir(name));
  chownSync(inDir("hers"), mallory.uid, mallory.gid);
  chownSync(inDir("home"), mallory.uid, mallory.gid);
  chmodSync(inDir("open"), 0o777);
  chmodSync(inDir("sticky"), 0o1777);
  symlinkSync(inDir("hers"), inDir("link"));
  const named = ["hers", "open", "home/bin", "sticky", "link"].map(inDir);
  const kept = pathOf(dir, ...named);
  assert.deepEqual(
    named.filter((folder) => kept.includes(folder)),
    [],
  );
  assert.equal(kept[0], dir);
});
