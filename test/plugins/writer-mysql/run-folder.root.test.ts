import assert from "node:assert/strict";
import { chownSync, existsSync, lchownSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { makeRunFolder } from "@holdstill/writer-mysql/dist/run-folder.js";
import type { Options } from "@holdstill/writer-mysql/dist/options.js";
import { context } from "../../support/fixture/context.js";
import { tempDir } from "../../support/storage/temp.js";

const late = () => Promise.reject(new Error("the call was given up"));
const user = { uid: 64_711, gid: 64_711, groups: [] };

test("the run folder is removed when no program can be started for its call, and what a link in it leads to stays", async (t) => {
  const kept = path.join(tempDir(t), "kept");
  writeFileSync(kept, "other data");
  const folder = await makeRunFolder(user, { ...context({} as Options), exec: late });
  mkdirSync(path.join(folder.path, "sub"));
  writeFileSync(path.join(folder.path, "sub/pid"), "1");
  symlinkSync(kept, path.join(folder.path, "link"));
  symlinkSync(path.dirname(kept), path.join(folder.path, "folder"));
  lchownSync(path.join(folder.path, "link"), user.uid, user.gid);
  chownSync(path.join(folder.path, "sub"), user.uid, user.gid);
  await folder.remove();
  assert.ok(!existsSync(path.dirname(folder.path)));
  assert.ok(existsSync(kept));
});
