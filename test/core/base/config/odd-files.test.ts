import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { loadSettings } from "#core/base/config/load.js";
import type { Finding } from "#core/base/schema/types.js";
import { refusalOf } from "../../../support/process/refusal.js";
import { tempDir } from "../../../support/storage/temp.js";

test("a pipe is refused and not waited for, whether it is named or found", { timeout: 20_000 }, async (t) => {
  const dir = tempDir(t);
  const file = path.join(dir, "holdstill.yaml");
  execFileSync("mkfifo", [file]);
  for (const source of [{ file }, { folders: [dir] }]) {
    const { code, message } = await refusalOf(loadSettings({ cwd: dir, env: {}, ...source }));
    assert.equal(code, "E_CONFIG_UNREADABLE");
    assert.match(message, /it is not a regular file/);
  }
});

test("what was seen of a file that is no text is short", async (t) => {
  const dir = tempDir(t);
  for (const [name, text] of [
    ["a.yaml", `"${"\u0001".repeat(5000)}`],
    ["b.yaml", `${"k".repeat(5000)}: 1\n${"k".repeat(5000)}: 2\n*${"a".repeat(5000)}`],
    ["c.yaml", `a: *${"a".repeat(5000)}`],
    ["d.json", "\u0001".repeat(5000)],
  ] as const) {
    const { details } = await refusalOf(loadSettings({ cwd: dir, env: {}, file: write(dir, name, text) }));
    for (const { seen } of (details as { findings: Finding[] }).findings)
      assert.ok(seen.length <= 80, `${name}: ${seen}`);
  }
});

test("a tilde is not expanded, and a path with one is a fault", async (t) => {
  const dir = tempDir(t);
  const text = "stateDir: ~/state\npluginPaths: [/opt, ~/plugins]\nlog: { file: ~me/log }\n";
  const { details } = await refusalOf(loadSettings({ cwd: dir, env: {}, file: write(dir, "f.yaml", text) }));
  assert.deepEqual(
    (details as { findings: Finding[] }).findings.map(({ line, pointer, seen }) => [line, pointer, seen]),
    [
      [1, "/stateDir", '"~/state"'],
      [2, "/pluginPaths/1", '"~/plugins"'],
      [3, "/log/file", '"~me/log"'],
    ],
  );
  for (const { expected } of (details as { findings: Finding[] }).findings)
    assert.equal(expected, "an absolute path, because a tilde is not expanded");
});

function write(dir: string, name: string, text: string): string {
  const file = path.join(dir, name);
  writeFileSync(file, text);
  return file;
}
