/** Looking up programs by the rules of execvp(3). */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { findProgram, isProgram, missingPrograms } from "#core/os/exec/program.js";
import { tempDir } from "../../../support/storage/temp.js";

test("a program is an executable file in the first folder that has one; a folder and a plain file are not programs", (t) => {
  const dir = tempDir(t);
  const [one, two] = [path.join(dir, "one"), path.join(dir, "two")];
  for (const folder of [one, two]) mkdirSync(folder);
  mkdirSync(path.join(one, "tool"));
  writeFileSync(path.join(one, "other"), "", { mode: 0o644 });
  for (const name of ["tool", "other"]) writeFileSync(path.join(two, name), "", { mode: 0o755 });
  assert.equal(findProgram("tool", [one, two]), path.join(two, "tool"));
  assert.equal(findProgram("other", [one, two]), path.join(two, "other"));
  assert.deepEqual(missingPrograms(["tool", "gone"], [one, two]), ["gone"]);
  assert.deepEqual([isProgram("tool", `${one}:${two}`), isProgram("tool", one)], [true, false]);
});

test("a name with a slash is a path and is not looked up", (t) => {
  const dir = tempDir(t);
  writeFileSync(path.join(dir, "tool"), "", { mode: 0o755 });
  assert.deepEqual([isProgram(path.join(dir, "tool"), ""), isProgram("./tool", dir)], [true, false]);
});
