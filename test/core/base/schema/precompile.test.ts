import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { installation } from "#core/installation.js";

const folder = path.join(installation.modules, "base/schema");

/** When each compiled check was written, by its file. */
function written(): Record<string, number> {
  const checks = path.join(folder, "checks");
  return Object.fromEntries(readdirSync(checks).map((file) => [file, statSync(path.join(checks, file)).mtimeMs]));
}

test("a build after which no schema has changed compiles no check again", () => {
  const before = written();
  assert.ok(Object.keys(before).length > 10);
  const { status, stderr } = spawnSync(process.execPath, [path.join(folder, "precompile.js")], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  assert.deepEqual(written(), before);
});
