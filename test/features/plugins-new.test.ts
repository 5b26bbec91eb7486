/** What `plugins new` makes is a plugin at once: installed as an author does, outside of this repository, and without a network. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { checkPlugin } from "holdstill/conformance";
import { buildGo, goIsMissing } from "../support/process/go.js";
import { holdstill } from "../support/process/command-line.js";
import { tempDir } from "../support/storage/temp.js";
import { repository } from "../support/repository.js";

/** A folder of an author's plugins, with holdstill installed beside them. */
function workshop(t: TestContext): string {
  const dir = tempDir(t);
  npm(dir, ["install", "--offline", "--no-audit", "--no-fund", `file:${path.join(repository, "core")}`]);
  return dir;
}

/** TypeScript and Node's types, as npm would have put them there. */
function withTypeScript(dir: string): void {
  symlinkSync(path.join(repository, "node_modules/typescript"), path.join(dir, "node_modules/typescript"));
  cpSync(path.join(repository, "node_modules/@types/node"), path.join(dir, "node_modules/@types/node"), {
    recursive: true,
  });
  cpSync(path.join(repository, "node_modules/undici-types"), path.join(dir, "node_modules/undici-types"), {
    recursive: true,
  });
}

function npm(cwd: string, args: readonly string[]): string {
  return execFileSync("npm", args, { cwd, encoding: "utf8", stdio: "pipe", env: envOf() });
}

/** Without what the runner of this test says to the tests that it starts. */
function envOf(): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return env;
}

for (const kind of ["writer", "provider"] as const) {
  test(`a new ${kind} in JavaScript passes its own test`, async (t) => {
    const dir = workshop(t);
    const made = JSON.parse(run(dir, ["plugins", "new", kind, "acme", "--json"])) as { dir: string; files: string[] };
    assert.equal(made.dir, path.join(dir, "acme"));
    assert.deepEqual(
      made.files.filter((file) => !existsSync(path.join(made.dir, file))),
      [],
    );
    assert.match(npm(made.dir, ["test"]), /^# pass 1$/m);
    assert.doesNotMatch(readFileSync(path.join(made.dir, "README.md"), "utf8"), /example/);
  });

  test(`a new ${kind} in TypeScript compiles and conforms`, async (t) => {
    const dir = workshop(t);
    withTypeScript(dir);
    run(dir, ["plugins", "new", kind, "acme", "--ts"]);
    execFileSync(path.join(repository, "node_modules/.bin/tsc"), { cwd: path.join(dir, "acme"), stdio: "pipe" });
    // What JavaScript's own test does in full.
    const only = ["abort-after-seal", "leaves-its-folder-alone"].flatMap((name) => ["--only", name]);
    const check = ["plugins", "check", path.join(dir, "acme"), "--runtime", "thread", ...only];
    const { exitCode, stdout } = await holdstill(check);
    assert.deepEqual([exitCode, stdout.match(/acme 0\.1\.0 conforms/)?.[0]], [0, "acme 0.1.0 conforms"], stdout);
  });
}

for (const kind of ["writer", "provider"] as const)
  for (const [language, skip] of [
    ["python", false],
    ["go", goIsMissing],
  ] as const)
    test(`a new ${kind} in ${language} conforms, and has nothing of JavaScript`, { skip }, async (t) => {
      const cwd = tempDir(t);
      const made = await holdstill(["plugins", "new", kind, "acme", "--lang", language, "--json"], { cwd });
      const { files } = made.json() as { files: string[] };
      assert.deepEqual(
        files.filter((file) => /\.[jt]s$|^package/.test(file)),
        [],
      );
      const dir = path.join(cwd, "acme");
      if (language === "go") buildGo(dir);
      const { checks } = await checkPlugin(dir);
      assert.deepEqual(
        checks.filter(({ status }) => status === "failed"),
        [],
      );
      const proof = kind === "writer" ? "freeze-holds" : "snapshot-is-of-the-cut";
      assert.ok(checks.some(({ name, status }) => name === proof && status === "passed"));
    });

/** The command line as npm installed it. */
function run(cwd: string, args: readonly string[]): string {
  return execFileSync(path.join(cwd, "node_modules/.bin/holdstill"), args, { cwd, encoding: "utf8", env: envOf() });
}

test("a name that no manifest may have, an unknown kind and a folder that is there are refused, and nothing is made", async (t) => {
  const cwd = tempDir(t);
  mkdirSync(path.join(cwd, "taken"));
  for (const [args, says] of [
    [["writer", "../acme"], /cannot be the name of a plugin/],
    [["writter", "acme"], /Unknown kind of plugin `writter`.*mean `writer`/],
    [["writer", "taken"], /already/],
    [["writer", "acme", "--lang", "cobol"], /--lang does not support `cobol`/],
  ] as const) {
    const { exitCode, stderr } = await holdstill(["plugins", "new", ...args], { cwd });
    assert.equal(exitCode, 2, stderr);
    assert.match(stderr, says);
  }
  assert.deepEqual(readdirSync(cwd, { recursive: true }), ["taken"]);
  assert.equal(existsSync(path.join(cwd, "../acme")), false);
});
