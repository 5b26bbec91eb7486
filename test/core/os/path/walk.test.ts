import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, lchownSync, mkdirSync, realpathSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { readAccounts } from "#core/base/trust/accounts.js";
import { walk, walkTo, type WalkRules } from "#core/os/path/walk.js";
import { alice, mallory, needsRoot } from "../../../support/process/as-user.js";
import { refusalFrom } from "../../../support/process/path-refusal.js";
import { tempDir } from "../../../support/storage/temp.js";
import type { User } from "../../../support/process/unprivileged.js";

/** Makes folders, files (no slash at the end) and links (`name -> target`), each of its owner and mode. */
function lay(t: TestContext, entries: readonly [name: string, owner: User | null, mode?: number][]): string {
  const dir = realpathSync(tempDir(t));
  chmodSync(dir, 0o755);
  for (const [entry, owner, mode] of entries) {
    const [name = "", target] = entry.split(" -> ");
    const file = path.join(dir, name);
    if (target !== undefined) symlinkSync(target.replace("DIR", dir), file);
    else if (name.endsWith("/")) mkdirSync(file);
    else writeFileSync(file, "");
    if (owner !== null) lchownSync(file.replace(/\/$/, ""), owner.uid, owner.gid);
    if (mode !== undefined) chmodSync(file, mode);
  }
  return dir;
}

const refusal = (
  dir: string,
  rules: WalkRules = {},
): { path: string; owner: number | null; reason: string; hint: string } => {
  const { code, details, hint } = refusalFrom(() => walk(dir, rules));
  assert.equal(code, "E_PATH_UNSAFE");
  return { ...(details as { path: string; owner: number | null; reason: string }), hint };
};

test("a way on which every part belongs to root is gone, and ends where the path leads", (t) => {
  const dir = lay(t, [
    ["a/", null],
    ["a/b/", null],
  ]);
  using folder = walk(path.join(dir, "a/b"));
  assert.equal(folder.status().identity.endsWith(`:${statSync(path.join(dir, "a/b")).ino}`), true);
  using root = walk("/");
  assert.equal(root.path, "/");
  using same = walk(`${dir}//a/./b/`);
  assert.equal(same.status().identity, folder.status().identity);
  for (const wrong of ["a", "", `${dir}/a/../b`]) assert.equal(refusalFrom(() => walk(wrong)).code, "E_PATH_UNSAFE");
});

test(
  "another user's folder on the way is refused, with the path, the owner and what fixes it",
  { skip: needsRoot },
  (t) => {
    const dir = lay(t, [
      ["alice/", alice],
      ["alice/data/", alice],
      ["alice/root/", null],
      ["alice/mallory/", mallory],
    ]);
    const whole = path.join(dir, "alice");
    assert.deepEqual(refusal(path.join(whole, "data")), {
      path: whole,
      owner: alice.uid,
      reason: `user ${alice.uid} owns it`,
      remedy: `If that is a mistake: chown 0 ${whole}`,
      hint: `If that is a mistake: chown 0 ${whole}`,
    });
    // Of what is the owner's own, all the way down.
    walk(path.join(whole, "data"), { owner: alice.uid })[Symbol.dispose]();
    // What root, or a third user, has in the owner's folder: the owner can put something else in its place.
    const below = refusal(path.join(whole, "root"), { owner: alice.uid });
    assert.deepEqual([below.path, below.owner], [path.join(whole, "root"), 0]);
    assert.match(below.reason, new RegExp(`belongs to user 0, but user ${alice.uid} owns ${whole} and can replace it`));
    assert.match(
      refusal(path.join(whole, "mallory"), { owner: alice.uid }).reason,
      new RegExp(`user ${mallory.uid} owns it`),
    );
  },
);

test("a folder that others may write to is refused, unless it is sticky", async (t) => {
  const dir = lay(t, [
    ["open/", null, 0o777],
    ["open/x/", null],
    ["sticky/", null, 0o1777],
    ["sticky/x/", null],
    ["group/", null, 0o775],
  ]);
  assert.match(refusal(path.join(dir, "open/x")).reason, /every user may write to it/);
  assert.equal(refusal(path.join(dir, "open")).hint, `chmod go-w ${path.join(dir, "open")}`);
  walk(path.join(dir, "sticky/x"))[Symbol.dispose]();
  assert.match(refusal(path.join(dir, "group")).reason, /group \d+ may write to it/);
  const accounts = await readAccounts();
  const mine = { users: [{ name: "me", uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }], groups: [] };
  walk(path.join(dir, "group"), { accounts: mine })[Symbol.dispose]();
  assert.ok(accounts.users.length > 0);
});

test("in a sticky folder, what another user put there is refused", { skip: needsRoot }, (t) => {
  const dir = lay(t, [
    ["sticky/", null, 0o1777],
    ["sticky/x/", mallory],
    ["sticky/l -> /etc", mallory],
  ]);
  assert.equal(refusal(path.join(dir, "sticky/x")).owner, mallory.uid);
  assert.equal(refusal(path.join(dir, "sticky/l")).owner, mallory.uid);
});

test("links of root are followed as long as all is root's, and others are refused", { skip: needsRoot }, (t) => {
  const dir = lay(t, [
    ["real/", null],
    ["real/in/", null],
    ["absolute -> DIR/real", null],
    ["relative -> real/../real/in", null],
    ["twice -> absolute/in", null],
    ["loop -> loop", null],
    ["file", null],
    ["tofile -> file", null],
    ["hers -> real", alice],
    ["alice/", alice],
    ["alice/own/", alice],
    ["alice/l -> own", alice],
    ["alice/byroot -> own", null],
  ]);
  const inode = (name: string): string => String(statSync(path.join(dir, name)).ino);
  for (const [name, target] of [
    ["absolute", "real"],
    ["absolute/in", "real/in"],
    ["relative", "real/in"],
    ["twice", "real/in"],
  ] as const) {
    using folder = walk(path.join(dir, name));
    assert.equal(folder.status().identity.split(":").at(-1), inode(target), name);
  }
  assert.match(refusalFrom(() => walk(path.join(dir, "loop"))).message, /a symbolic link is in the way \(ELOOP\)/);
  assert.match(refusalFrom(() => walk(path.join(dir, "tofile"))).message, /it is a file, not a folder/);
  assert.match(refusalFrom(() => walk(path.join(dir, "file/x"))).message, /not a folder \(ENOTDIR\)/);
  using file = walkTo(path.join(dir, "tofile"));
  assert.equal(file.status().type, "file");
  assert.equal(refusal(path.join(dir, "hers")).owner, alice.uid);
  assert.match(
    refusal(path.join(dir, "hers"), { owner: alice.uid }).reason,
    /it is a symbolic link, and .* belongs to user/,
  );
  assert.match(refusal(path.join(dir, "alice/l"), { owner: alice.uid }).reason, /it is a symbolic link/);
  assert.equal(refusal(path.join(dir, "alice/byroot"), { owner: alice.uid }).owner, 0);
});

test("a user whom an access control list lets write is another user", { skip: needsRoot }, (t) => {
  const dir = lay(t, [
    ["acl/", null],
    ["acl/x/", null],
  ]);
  execFileSync("setfacl", ["-m", `u:${mallory.uid}:rwx`, path.join(dir, "acl")]);
  const accounts = { users: [{ name: "root", uid: 0, gid: 0 }], groups: [] };
  assert.match(
    refusal(path.join(dir, "acl/x"), { accounts }).reason,
    new RegExp(`^user ${mallory.uid} may write to it`),
  );
  walk(path.join(dir, "acl/x"), { accounts, owner: mallory.uid })[Symbol.dispose]();
});

test("what is missing is made, below what is safe", { skip: needsRoot }, (t) => {
  const dir = lay(t, [["alice/", alice]]);
  using made = walk(path.join(dir, "x/y/z"), { missing: 0o755 });
  assert.deepEqual([made.path, made.status().mode], [path.join(dir, "x/y/z"), 0o755]);
  assert.match(refusalFrom(() => walk(path.join(dir, "no/way"))).message, /no failed: it does not exist/);
  assert.equal(refusalFrom(() => walk(path.join(dir, "alice/x/y"), { missing: 0o755 })).code, "E_PATH_UNSAFE");
  // Below /proc a recursive mkdir of Node never ends.
  assert.equal(refusalFrom(() => walk("/proc/1/x/y", { missing: 0o755 })).code, "E_PATH_FAILED");
  assert.equal(refusalFrom(() => walk("/proc/self/x", { missing: 0o755 })).code, "E_PATH_FAILED");
});
