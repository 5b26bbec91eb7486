/** Access control lists that let another user write although owner and mode look right. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { trustedUser } from "#core/base/trust/ownership.js";
import { reveal } from "#core/host/manifest/secrets.js";
import { pathProblems } from "#core/host/trust/access-list.js";
import { trustProblems } from "#core/host/trust/folder-problems.js";
import { writePlugin } from "../../../support/fixture/plugin-folder.js";
import { tempDir } from "../../../support/storage/temp.js";

const skip = process.getuid?.() !== 0 && "a private group of root needs root";
// As on a system where each user has a private group: a file of such a group may be writable for it.
const me = { ...(await trustedUser()), accounts: { users: [{ name: "root", uid: 0, gid: 0 }], groups: [] } };

const allow = (file: string, entry: string): void => void execFileSync("setfacl", ["-m", entry, file]);
const seen = async (dir: string): Promise<string> =>
  (await trustProblems(dir, me)).map(({ problem, remedy }) => `${problem}: ${remedy}`).join("\n");

for (const what of ["index.js", "plugin.json", ".", ".."])
  test(`a plugin of which ${what} has a list that lets another user write is refused`, { skip }, async (t) => {
    const dir = writePlugin(path.join(tempDir(t), "above/a"));
    const file = path.join(dir, what);
    chmodSync(file, 0o775);
    assert.equal(await seen(dir), "", "mode and owner are right");
    allow(file, "u:12345:r-x");
    assert.equal(await seen(dir), "", "reading is allowed");
    allow(file, "u:12345:rwx");
    assert.match(await seen(dir), /is writable for user 12345 by its access control list: setfacl -b /);
    allow(file, "m::r-x");
    assert.equal(await seen(dir), "", "the mask takes it away");
  });

test("a program, and the folders above it, are judged the same way", { skip }, async (t) => {
  const dir = path.join(tempDir(t), "bin");
  mkdirSync(dir);
  const program = path.join(dir, "hook");
  writeFileSync(program, "#!/bin/sh\n", { mode: 0o755 });
  chmodSync(dir, 0o775);
  assert.deepEqual(await pathProblems(program, me), []);
  allow(dir, "g:12345:rwx");
  assert.match((await pathProblems(program, me))[0]?.problem ?? "", /bin is writable for group 12345/);
});

test("so is the folder of a link to a program", { skip }, async (t) => {
  const dir = tempDir(t);
  const program = path.join(dir, "hook");
  writeFileSync(program, "#!/bin/sh\n", { mode: 0o755 });
  mkdirSync(path.join(dir, "links"));
  const link = path.join(dir, "links/hook");
  symlinkSync(program, link);
  chmodSync(path.dirname(link), 0o775);
  assert.deepEqual(await pathProblems(link, me), []);
  allow(path.dirname(link), "u:12345:rwx");
  assert.match((await pathProblems(link, me))[0]?.problem ?? "", /links is writable for user 12345/);
});

test("a secret's file of which a list lets another user read is refused", { skip }, async (t) => {
  const file = path.join(tempDir(t), "secret");
  writeFileSync(file, "s3cret", { mode: 0o640 });
  const read = async (): Promise<string> => {
    const { secrets, faults } = await reveal({ secret: { file } }, ["/secret"], me);
    return faults[0]?.seen ?? secrets.join();
  };
  assert.equal(await read(), "s3cret");
  allow(file, "u:12345:r");
  assert.match(await read(), /is readable for user 12345 by its access control list$/);
  allow(file, "m::-");
  assert.equal(await read(), "s3cret", "the mask takes it away");
});
