/** Who can change or read a file, told from its owner, its mode and the accounts. */
import assert from "node:assert/strict";
import type { Stats } from "node:fs";
import test from "node:test";
import { exposures, ownershipProblems, quoted, type TrustedUser } from "#core/base/trust/ownership.js";

const user: TrustedUser = {
  uid: 1000,
  accounts: { users: [{ name: "me", uid: 1000, gid: 1000 }], groups: [{ name: "staff", gid: 50, members: ["me"] }] },
};
const file = (uid: number, gid: number, mode: number, link = false): Stats =>
  ({ uid, gid, mode, isSymbolicLink: () => link }) as Stats;

const remedies = (stats: Stats): string[] => ownershipProblems("/f", stats, user).map(({ remedy }) => remedy);
const problems = (stats: Stats): string[] => exposures("/f", stats, user).map(({ problem }) => problem);

test("a file is changed by its owner, its group and all users, and each has its command", () => {
  assert.deepEqual(remedies(file(1000, 1000, 0o664)), [], "the group is the user's own");
  assert.deepEqual(remedies(file(0, 0, 0o644)), []);
  assert.deepEqual(remedies(file(1000, 50, 0o664)), ["chmod go-w /f"]);
  assert.deepEqual(remedies(file(1000, 50, 0o646)), ["chmod go-w /f"]);
  assert.deepEqual(remedies(file(1001, 50, 0o666)), ["chown 1000 /f", "chmod go-w /f"]);
  assert.deepEqual(remedies(file(1000, 50, 0o777, true)), [], "the mode of a link means nothing");
});

test("a file is exposed by the right to read it", () => {
  assert.deepEqual(problems(file(1000, 1000, 0o640)), []);
  assert.deepEqual(problems(file(1000, 50, 0o600)), []);
  assert.match(problems(file(1000, 50, 0o644)).join(), /readable for group 50 and/);
  assert.match(problems(file(1001, 50, 0o600)).join(), /owned by user 1001/);
});

test("a path in a command is one word of a shell", () => {
  assert.deepEqual(["/srv/a-b", "/srv/it's a"].map(quoted), ["/srv/a-b", String.raw`'/srv/it'\''s a'`]);
});
