import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import type { ConformanceReport } from "holdstill/conformance";
import { validate } from "#core/base/schema/validate.js";
import { holdstill } from "../support/process/command-line.js";
import { tempDir } from "../support/storage/temp.js";
import { template, waysToBeWrong, writeWrong } from "../support/fixture/wrong-plugin.js";

test("--json is one document that its schema accepts, and a plugin that conforms ends with 0", async () => {
  const ran = await holdstill(["plugins", "check", template("writer"), "--runtime=thread", "--json"]);
  const report = ran.json() as ConformanceReport;
  assert.deepEqual(validate("conformance-report", report, "stdout"), { ok: true, value: report });
  assert.deepEqual([ran.exitCode, report.failed, report.plugin.name], [0, 0, "writer-example"]);
  assert.equal(report.passed + report.skipped, report.checks.length);
});

test("the output shows which check failed, what was seen and what to do, and the exit code is 3", async (t) => {
  const dir = tempDir(t);
  const way = "says that it held what it never froze";
  const [, wrong] = (await waysToBeWrong("writer")).find(([name]) => name === way) ?? [];
  assert.ok(wrong);
  writeWrong(dir, "writer", way, wrong);
  const only = ["--only", "thaw-without-freeze", "--runtime", "process"];
  const { exitCode, stdout, stderr } = await holdstill(["plugins", "check", dir, ...only]);
  assert.equal(exitCode, 3, stderr);
  assert.match(stdout, /^A transaction, in a process$/m);
  assert.match(stdout, /✗ thaw without a freeze does not report an uninterrupted freeze\./);
  assert.match(
    stdout,
    /thaw-without-freeze: thaw returned \{ uninterrupted: true \} although\s+nothing\s+was\s+frozen/,
  );
  assert.match(stdout, /→ Let thaw check what freeze left/);
  assert.match(stdout, /writer-example 0\.1\.0 does not conform .*\n.* 1 failed/);
});

test("an error in the manifest is shown with its line, and nothing of the plugin is run", async (t) => {
  const dir = tempDir(t);
  writeFileSync(path.join(dir, "plugin.json"), '{\n  "manifestVersion": 1,\n  "nam": "x"\n}\n');
  const ran = await holdstill(["plugins", "check", dir, "--json"]);
  const { checks } = ran.json() as ConformanceReport;
  const manifest = checks.find(({ name }) => name === "manifest");
  assert.match(manifest?.status === "failed" ? manifest.seen : "", /plugin\.json:3 at \/nam: .*did you mean name\?/);
  assert.equal(ran.exitCode, 3);
  assert.ok(checks.every(({ runtime }) => runtime === undefined));
});

test("a folder, a check and a runtime that do not exist are refused in words", async (t) => {
  const dir = tempDir(t);
  for (const [args, code, says] of [
    [[path.join(dir, "none")], 3, /cannot be read: it does not exist/],
    [[dir, "--only", "freeze-hold"], 2, /Unknown check `freeze-hold`\. Did you mean `freeze-holds`/],
    [[dir, "--runtime", "fibre"], 2, /--runtime does not support `fibre`/],
  ] as const) {
    const { exitCode, stderr } = await holdstill(["plugins", "check", ...args]);
    assert.match(stderr, says);
    assert.equal(exitCode, code);
  }
});

test("an interruption ends the suite after the check that is under way, and nothing is left", async (t) => {
  const dir = tempDir(t);
  const env = { TMPDIR: dir };
  const left = (): string[] => readdirSync(dir).filter((name) => name.startsWith("holdstill-check-"));
  const { exitCode, stderr } = await holdstill(["plugins", "check", template("writer")], {
    env,
    onStart(child) {
      const timer = setInterval(() => {
        if (left().length === 0) return;
        clearInterval(timer);
        child.kill("SIGINT");
      }, 20);
    },
  });
  assert.equal(exitCode, 130, stderr);
  assert.deepEqual(left(), []);
});
