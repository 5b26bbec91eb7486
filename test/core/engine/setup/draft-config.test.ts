import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { loadSettings } from "#core/base/config/load.js";
import { draftConfig } from "#core/engine/setup/draft-config.js";
import { tempDir } from "../../../support/storage/temp.js";

test("without a known server the draft lists the installed writers, and is a valid config", async (t) => {
  const dir = tempDir(t);
  const { text, targets } = await draftConfig({}, dir);
  assert.deepEqual(targets, []);
  assert.match(text, /^plugins: \[\]$/m);
  assert.match(text, /# - use: writer-exec@\^/);
  assert.match(text, /# Without a provider in this list, holdstill uses provider-reflink: /);
  const file = path.join(dir, "holdstill.yaml");
  writeFileSync(file, text);
  assert.deepEqual((await loadSettings({ file, env: {} })).instances, []);
});
