/** Configs of other users. Only root can give a file away. */
import assert from "node:assert/strict";
import { chownSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { loadSettings } from "#core/base/config/load.js";
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
