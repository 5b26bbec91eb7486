import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { openExposed } from "#core/os/path/exposed-tree.js";
import { alice, needsRoot } from "../../../support/process/as-user.js";
import { refusalFrom } from "../../../support/process/path-refusal.js";
import { tempDir } from "../../../support/storage/temp.js";

/** A snapshot whose own folder, and all below, belongs to another user. */
function snapshot(t: TestContext): { root: string; secret: string } {
  const base = realpathSync(tempDir(t));
  chmodSync(base, 0o755);
  const [root, secret] = [path.join(base, "snapshot"), path.join(base, "secret")];
  mkdirSync(path.join(root, "srv/data"), { recursive: true });
  mkdirSync(secret);
  writeFileSync(path.join(root, "srv/file"), "");
  for (const name of ["", "srv", "srv/data"]) chownSync(path.join(root, name), alice.uid, alice.gid);
  return { root, secret };
}

test("folders, files and the snapshot itself are opened, whatever their owner", { skip: needsRoot }, (t) => {
  const { root } = snapshot(t);
  for (const [original, type] of [
    ["/srv/data", "folder"],
    ["/srv/file", "file"],
    ["/srv", "folder"],
  ] as const) {
    using found = openExposed({ original, path: path.join(root, original) });
    assert.equal(found.status().type, type);
  }
  using whole = openExposed({ original: "/volume", path: root });
  assert.equal(whole.status().uid, alice.uid);
});

test("a link in the place of what was captured, or on the way to it, is refused by name", { skip: needsRoot }, (t) => {
  const { root, secret } = snapshot(t);
  symlinkSync(secret, path.join(root, "srv/link"));
  mkdirSync(path.join(secret, "below"));
  for (const original of ["/srv/link", "/srv/link/below"]) {
    const refused = refusalFrom(() => openExposed({ original, path: path.join(root, original) }));
    assert.equal(refused.code, "E_PATH_UNSAFE");
    assert.match(refused.message, /srv\/link is not used because it is a symbolic link/);
  }
});
