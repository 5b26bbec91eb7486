/** Configs of other users. Only root can give a file away. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { loadSettings } from "#core/base/config/load.js";
import { holdstill } from "../../../support/process/command-line.js";
import { refusalOf } from "../../../support/process/refusal.js";
import { tempDir } from "../../../support/storage/temp.js";

const skip = process.getuid?.() !== 0 && "giving a file away needs root";

test("a config of another user is refused with the chown that fixes it", { skip }, async (t) => {
  const dir = tempDir(t);
  const file = path.join(dir, "holdstill.yaml");
  writeFileSync(file, "");
  chownSync(file, 12_345, 0);
  const error = await refusalOf(loadSettings({ cwd: dir, env: {}, folders: [dir] }));
  assert.equal(error.code, "E_CONFIG_UNTRUSTED");
  assert.ok(error.hint.includes(`chown 0 ${file}`), error.hint);
});

test("a config of another user is not read, whatever its size or its contents", { skip }, async (t) => {
  const dir = tempDir(t);
  const file = path.join(dir, "holdstill.yaml");
  writeFileSync(file, "[".repeat(100));
  chownSync(file, 12_345, 0);
  assert.equal((await refusalOf(loadSettings({ cwd: dir, env: {}, folders: [dir] }))).code, "E_CONFIG_UNTRUSTED");
  truncateSync(file, 3 * 2 ** 30);
  const error = await refusalOf(loadSettings({ cwd: dir, env: {}, folders: [dir] }));
  assert.equal(error.code, "E_CONFIG_UNREADABLE");
  assert.match(error.message, /larger than/);
});

test(
  "commands refuse a config, or a folder of it, that an access control list lets another user change",
  { skip },
  async (t) => {
    const dir = tempDir(t);
    const file = path.join(dir, "holdstill.yaml");
    writeFileSync(file, "");
    for (const what of [file, dir]) {
      execFileSync("setfacl", ["-m", "u:12345:rwx", what]);
      const { exitCode, stderr } = await holdstill(["list"], { cwd: dir });
      assert.notEqual(exitCode, 0);
      assert.match(
        stderr,
        /is not used because another user can change it: .* is writable for user 12345 by its access control list/,
      );
      execFileSync("setfacl", ["-b", what]);
      chmodSync(what, what === dir ? 0o755 : 0o644);
    }
  },
);
