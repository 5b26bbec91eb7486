import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { grantsOthers } from "#core/os/path/acl.js";
import type { Syscalls } from "#core/os/path/syscalls.js";
import { kernel } from "#core/os/path/syscalls.js";
import type { PathTrust } from "#core/os/path/trust.js";
import { walk } from "#core/os/path/walk.js";
import { alice, mallory, needsRoot } from "../../../support/process/as-user.js";
import { refusalFrom } from "../../../support/process/path-refusal.js";
import { tempDir } from "../../../support/storage/temp.js";

const mine = { users: [{ name: "root", uid: 0, gid: 0 }], groups: [] };

test("who may change a file is seen by its mode and its access control list", { skip: needsRoot }, (t) => {
  const dir = tempDir(t);
  const granted = (
    mode: number,
    list: string | null,
    trust: PathTrust = {},
    what: "write" | "read" = "write",
  ): string[] => {
    const file = path.join(dir, "file");
    writeFileSync(file, "");
    chmodSync(file, mode);
    if (list !== null) execFileSync("setfacl", ["-m", list, file]);
    using folder = walk(dir);
    using handle = folder.entry("file");
    const found = grantsOthers(handle, trust, what);
    folder.unlink("file");
    return found;
  };
  assert.deepEqual(granted(0o644, null), []);
  assert.deepEqual(granted(0o664, null), ["group 0"]);
  assert.deepEqual(granted(0o664, null, { accounts: mine }), []);
  assert.deepEqual(granted(0o666, null), ["group 0", "every user"]);
  // By its mode it is root's private group's: 664.
  assert.deepEqual(granted(0o644, `u:${mallory.uid}:rw`, { accounts: mine }), [`user ${mallory.uid}`]);
  assert.deepEqual(granted(0o644, `u:${mallory.uid}:rw`), [`user ${mallory.uid}`], "the group itself may only read");
  assert.deepEqual(granted(0o644, `u:${mallory.uid}:r`), []);
  assert.deepEqual(granted(0o644, `g:${mallory.gid}:rw,u:${alice.uid}:rw`, { owner: alice.uid }), [
    `group ${mallory.gid}`,
  ]);
  assert.deepEqual(granted(0o644, "u:0:rw"), []);
  // What the mask takes away is not granted.
  assert.deepEqual(granted(0o644, `u:${mallory.uid}:rw,m::r`), []);
  assert.deepEqual(granted(0o600, `u:${mallory.uid}:r`, {}, "read"), [`user ${mallory.uid}`]);
  assert.deepEqual(granted(0o600, null, {}, "read"), []);
  assert.deepEqual(granted(0o644, null, { accounts: mine }, "read"), ["every user"]);
});

/** listxattr(2) that finds these. */
const names = (text: string) => (_: string, into: Uint8Array) => Buffer.from(into.buffer).write(text);

test("what cannot be judged is refused", { skip: needsRoot }, (t) => {
  const dir = tempDir(t);
  writeFileSync(path.join(dir, "file"), "");
  symlinkSync("file", path.join(dir, "link"));
  chownSync(path.join(dir, "file"), 0, 0);
  const judged = (changes: Partial<Syscalls>): unknown => {
    using folder = walk(dir, {}, { ...kernel, ...changes });
    using file = folder.entry("file");
    return grantsOthers(file);
  };
  assert.deepEqual(judged({}), []);
  assert.deepEqual(judged({ listxattr: names("user.x\0security.selinux\0") }), []);
  for (const list of ["system.nfs4_acl", "system.richacl", "system.cifs_acl", "security.NTACL"]) {
    const refused = refusalFrom(() => judged({ listxattr: names(`user.x\0${list}\0`) }));
    assert.equal(refused.code, "E_PATH_UNSAFE");
    assert.match(refused.message, new RegExp(`\\(${list}\\) may let other users change it, and cannot be judged`));
  }
  const version = { getxattr: (_: string, __: string, into: Uint8Array) => Buffer.from(into.buffer).writeUInt32LE(3) };
  assert.match(refusalFrom(() => judged(version)).message, /an unknown version/);
  assert.equal(refusalFrom(() => judged({ getxattr: () => -5 })).code, "E_PATH_FAILED");
  assert.deepEqual(judged({ getxattr: () => -95, listxattr: () => -95 }), [], "a file system without attributes");
  using folder = walk(dir);
  using link = folder.entry("link");
  assert.deepEqual(grantsOthers(link), []);
});
