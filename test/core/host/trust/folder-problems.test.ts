import assert from "node:assert/strict";
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { trustProblems } from "#core/host/trust/folder-problems.js";
import { isPrivateGroup, readAccounts } from "#core/base/trust/accounts.js";
import { trustedUser, type TrustedUser } from "#core/base/trust/ownership.js";
import { writePlugin } from "../../../support/fixture/plugin-folder.js";
import { tempDir } from "../../../support/storage/temp.js";

const me = await trustedUser();
/** On a machine where no group is a user's own. */
const strict: TrustedUser = { ...me, accounts: { users: [], groups: [] } };

test("a plugin that is ours alone is trusted, also below the sticky /tmp and with links inside", async (t) => {
  const dir = writePlugin(path.join(tempDir(t), "a"));
  mkdirSync(path.join(dir, "node_modules/.bin"), { recursive: true });
  writeFileSync(path.join(dir, "node_modules/tool.js"), "");
  symlinkSync("../tool.js", path.join(dir, "node_modules/.bin/tool"));
  assert.deepEqual(await trustProblems(dir, me), []);
});

test("a file that is writable for all users is named with the chmod that fixes it", async (t) => {
  const dir = writePlugin(path.join(tempDir(t), "a"));
  const file = path.join(dir, "index.js");
  chmodSync(file, 0o646);
  assert.deepEqual(await trustProblems(dir, me), [
    { path: file, problem: `${file} is writable for all users`, remedy: `chmod go-w ${file}` },
  ]);
});

test("the folder itself and dependencies deep inside count", async (t) => {
  const dir = writePlugin(path.join(tempDir(t), "a"));
  const dependency = path.join(dir, "node_modules/x/lib.js");
  mkdirSync(path.dirname(dependency), { recursive: true });
  writeFileSync(dependency, "");
  chmodSync(dependency, 0o666);
  assert.match(await told(dir), /lib\.js is writable/);
  chmodSync(dependency, 0o644);
  chmodSync(dir, 0o777);
  assert.match(await told(dir), /a is writable/);
  chmodSync(dir, 0o1777);
  assert.match(await told(dir), /a is writable/, "sticky helps only what lies in a folder that is above");
});

test("a folder above counts unless it is sticky", async (t) => {
  const above = path.join(tempDir(t), "open");
  const dir = writePlugin(path.join(above, "a"));
  chmodSync(above, 0o777);
  assert.match(await told(dir), /open is writable for/);
  chmodSync(above, 0o1777);
  assert.deepEqual(await trustProblems(dir, me), []);
});

test("many wrong files of one kind are one problem with one recursive command", async (t) => {
  const dir = writePlugin(path.join(tempDir(t), "it's a"));
  for (const name of ["plugin.json", "index.js"]) chmodSync(path.join(dir, name), 0o666);
  const problems = await trustProblems(dir, me);
  assert.equal(problems.length, 1);
  assert.match(problems[0]?.problem ?? "", /and 1 more in/);
  assert.equal(problems[0]?.remedy, `chmod -R go-w '${dir.replace("'", String.raw`'\''`)}'`);
});

test("a link that leads out of the plugin, or nowhere, is refused", async (t) => {
  const temp = tempDir(t);
  writeFileSync(path.join(temp, "a-outside.js"), "");
  for (const target of ["../a-outside.js", "/etc/passwd", "nowhere", ".."]) {
    const dir = writePlugin(path.join(temp, "a"));
    symlinkSync(target, path.join(dir, "link"));
    assert.match(await told(dir), /leads out of the plugin/, target);
    rmSync(dir, { recursive: true });
  }
});

test("a plugin folder may be a link to its neighbour, and not to elsewhere", async (t) => {
  const temp = tempDir(t);
  writePlugin(path.join(temp, "plugins/a@1.0.0"));
  symlinkSync("a@1.0.0", path.join(temp, "plugins/a"));
  assert.deepEqual(await trustProblems(path.join(temp, "plugins/a"), me), []);
  writePlugin(path.join(temp, "elsewhere"));
  symlinkSync("../elsewhere", path.join(temp, "plugins/b"));
  assert.match(await told(path.join(temp, "plugins/b")), /leads out of the plugin path/);
});

test("a group may write only if it is its owner's own", async (t) => {
  const dir = writePlugin(path.join(tempDir(t), "a"));
  const file = path.join(dir, "index.js");
  chmodSync(file, 0o664);
  const [uid, gid] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0];
  const own: TrustedUser = { ...me, accounts: { users: [{ name: "me", uid, gid }], groups: [] } };
  assert.deepEqual(await trustProblems(dir, own), []);
  assert.match((await trustProblems(dir, strict)).map(({ problem }) => problem).join(), /writable for group/);
});

test("a group is a user's own if it is the primary one and nobody else is in it", async (t) => {
  const dir = tempDir(t);
  const [passwd, group] = [path.join(dir, "passwd"), path.join(dir, "group")];
  writeFileSync(
    passwd,
    "ann:x:1:10::/:/bin/sh\nbob:x:2:20::/:/bin/sh\ncid:x:3:30::/:/bin/sh\ndot:x:4:30::/:/bin/sh\neve:x:5:50::/:/bin/sh\n\n",
  );
  writeFileSync(group, "ann:x:10:ann\nbob:x:20:eve\ncid:x:30:\neve:x:50:\n");
  const accounts = await readAccounts(passwd, group);
  const own = (gid: number, uid: number) => isPrivateGroup(accounts, gid, uid);
  assert.equal(own(10, 1), true, "ann's own");
  assert.equal(own(50, 5), true, "eve's own");
  assert.equal(own(10, 2), false, "somebody else's own");
  assert.equal(own(20, 2), false, "eve is a member too");
  assert.equal(own(30, 3), false, "the primary group of dot too");
  assert.equal(own(99, 9), false, "of nobody");
  assert.deepEqual(await readAccounts("/nowhere", "/nowhere"), { users: [], groups: [] });
});

async function told(dir: string): Promise<string> {
  return (await trustProblems(dir, me)).map(({ problem }) => problem).join("\n");
}
