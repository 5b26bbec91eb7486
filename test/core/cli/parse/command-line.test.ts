import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { pathToFileURL } from "node:url";
import { parseArguments } from "#core/cli/parse/arguments.js";
import { inWords } from "#core/base/display/in-words.js";
import { commandsInGroup, matchCommand } from "#core/cli/parse/match-command.js";
import { spelled } from "#core/base/display/visible.js";
import { commandTable } from "#core/cli/table.js";
import { Catalog } from "#core/store/catalog.js";
import { makeStateDir, stateDir } from "#core/store/state-directory.js";
import { ownVersion } from "#core/installation.js";
import { program, holdstill } from "../../../support/process/command-line.js";
import { emptySet } from "../../../support/fixture/set-record.js";
import { sceneConfig } from "../../../support/fixture/scene-config.js";
import { tempDir } from "../../../support/storage/temp.js";
import { repository } from "../../../support/repository.js";

test("--version prints the version, and loads nothing for it", async (t) => {
  const { stdout, loaded } = await loading(t, ["--version"]);
  assert.equal(stdout, `holdstill ${ownVersion()}\n`);
  assert.deepEqual(loaded, ["dist/cli/main.js", "dist/installation.js"]);
});

test("--help lists every command, and loads none of them and nothing outside the command line", async (t) => {
  const { stdout, loaded } = await loading(t, ["--help"]);
  for (const { name, summary } of commandTable) assert.match(stdout, new RegExp(`^ {2}${name} +${summary}$`, "m"));
  const outside = loaded.filter((name) => !name.startsWith("dist/cli/") || name.startsWith("dist/cli/commands/"));
  assert.deepEqual(outside, ["dist/base/display/in-words.js", "dist/base/display/visible.js", "dist/installation.js"]);
});

test("reading the catalog loads neither plugins nor workers", async (t) => {
  const { config } = sceneConfig(tempDir(t));
  const { loaded } = await loading(t, ["list", "--config", config]);
  assert.ok(loaded.includes("dist/engine/catalog-engine.js"));
  const heavy = loaded.filter((name) =>
    /^dist\/(?:engine\/engine|host\/isolation|host\/manifest|keeper|os\/exec|plan)\b|tinypool|execa|koffi|pino|semver/.test(
      name,
    ),
  );
  assert.deepEqual(heavy, []);
});

test("a record is checked without a schema being compiled: what ajv made of it when holdstill was built is there", async (t) => {
  const dir = tempDir(t);
  const { config } = sceneConfig(dir);
  const state = stateDir(path.join(dir, "state"));
  makeStateDir(state);
  await new Catalog(state).write(emptySet("20260102-030405-abcdef"));
  const { stdout, loaded } = await loading(t, ["list", "--config", config]);
  assert.match(stdout, /20260102-030405-abcdef/);
  assert.ok(loaded.includes("dist/base/schema/checks/snapshot-set.v1.cjs"));
  assert.deepEqual(
    loaded.filter((name) => /ajv\/dist\/(?!runtime\/)|documents\.js|checks\/contract/.test(name)),
    [],
  );
});

test("a plan loads no client of an application and nothing that runs inside a worker", async (t) => {
  const { config, data } = sceneConfig(tempDir(t));
  const { loaded } = await loading(t, ["plan", data, "--config", config]);
  assert.ok(loaded.includes("dist/plan/make.js"));
  const inside = loaded.filter((name) =>
    /^dist\/host\/isolation\/worker\/|^dist\/transaction\/|plugins\/|node_modules\/pg\//.test(name),
  );
  assert.deepEqual(inside, []);
});

test("what was not built says so", (t) => {
  const bin = path.join(tempDir(t), "core/bin");
  mkdirSync(bin, { recursive: true });
  copyFileSync(program, path.join(bin, "holdstill.cjs"));
  const { stderr, status } = spawnSync(process.execPath, [path.join(bin, "holdstill.cjs")], { encoding: "utf8" });
  assert.match(stderr, /^holdstill: It was not built: .*\n→ Run `npm run build` in the clone\.\n$/);
  assert.equal(status, 2);
});

test("every command has help with examples that it understands", async () => {
  for (const entry of commandTable) {
    const { stdout, exitCode } = await holdstill([...entry.name.split(" "), "--help"]);
    assert.equal(exitCode, 0);
    assert.ok(stdout.startsWith(`holdstill ${entry.name}: ${entry.summary}\n`), entry.name);
    const command = await entry.load();
    assert.ok(command.examples.length > 0, entry.name);
    for (const { line } of command.examples) {
      const matched = matchCommand(line.split(" ").slice(1));
      assert.ok(matched.type === "command" && matched.entry === entry, line);
      parseArguments(matched.rest, entry.name, command);
    }
    for (const line of stdout.split("\n")) assert.ok(line.length <= 80, `${entry.name}: ${line}`);
  }
});

test("`help COMMAND` is the command's --help, and a group's help lists its commands", async () => {
  const [asked, own] = await Promise.all([holdstill(["help", "show"]), holdstill(["show", "--help"])]);
  assert.equal(asked.stdout, own.stdout);
  const group = await holdstill(["plugins", "--help"]);
  assert.match(group.stdout, /^ {2}plugins list {2}/m);
  assert.doesNotMatch(group.stdout, /^ {2}create/m);
});

const usage = (command: string): string => `\`holdstill ${command} --help\` shows the usage.`;

const misuses: [args: string[], says: string, hints: string][] = [
  [[], "No command was given.", "`holdstill --help` lists the commands."],
  [["crate"], "Unknown command `crate`. Did you mean `create`?", "`holdstill --help` lists the commands."],
  [["frobnicate"], "Unknown command `frobnicate`.", "`holdstill --help` lists the commands."],
  [
    ["plugins"],
    `\`plugins\` is not a whole command. Write ${inWords(commandsInGroup("plugins").map(({ name }) => `\`${name}\``))}.`,
    "`holdstill --help` lists the commands.",
  ],
  [
    ["plugins", "lst"],
    "Unknown command `plugins lst`. Did you mean `plugins list`?",
    "`holdstill --help` lists the commands.",
  ],
  [["create"], "`create` requires the argument TARGET.", usage("create")],
  [["show"], "`show` requires the argument SET.", usage("show")],
  [["show", "a", "b"], "`show` does not take the argument `b`.", usage("show")],
  [
    ["create", "/srv", "--tga", "a=b"],
    "Unknown option --tga of `create`. Did you mean `--tag`?",
    "`holdstill create --help` lists the options.",
  ],
  [["list", "-x"], "Unknown option -x of `list`.", "`holdstill list --help` lists the options."],
  [["create", "/srv", "--name"], "--name requires a value.", "Write --name=VALUE."],
  [["create", "/srv", "--name", "--quiet"], "--name requires a value.", "Write --name=VALUE."],
  [["list", "--quiet=yes"], "--quiet does not take the value `yes`.", "Write --quiet alone."],
  [
    ["create", "/srv", "--name", "a\nb"],
    "--name has a control character in it: `a\\nb`.",
    "Use visible characters only.",
  ],
  [
    ["create", "/srv", "--tag", "k=\u001B[31m"],
    "--tag has a control character in it: `k=\\u001b[31m`.",
    "Use visible characters only.",
  ],
  [["create", "/srv", "--tag", "nightly"], "`nightly` is not a tag.", "Write --tag KEY=VALUE, once for each tag."],
  [
    ["plan", "/srv", "--require", "filesytem"],
    "--require does not support `filesytem`. Did you mean `filesystem`?",
    "Choose application, filesystem, crash, or none.",
  ],
  [["retain", "x"], "`retain` requires the option --until.", usage("retain")],
  [
    ["create", "/srv", "--lease-fd", "9", "--lease-stdin"],
    "`create` takes only one of --lease-fd, --lease-stdin, --retain-until, and --cluster.",
    usage("create"),
  ],
  [
    ["create", "/srv", "--expose"],
    "--expose requires --lease-stdin.",
    "To expose another set, run `holdstill expose`.",
  ],
  [["complete", "x"], "`complete` requires --succeeded or --failed.", usage("complete")],
  [
    ["complete", "x", "--failed", "--succeeded"],
    "`complete` takes only one of --succeeded and --failed.",
    usage("complete"),
  ],
  [
    ["complete", "x", "--failed", "--type", "ful"],
    "--type does not support `ful`. Did you mean `full`?",
    "Choose copy or full.",
  ],
];

for (const [args, says, hints] of misuses) {
  test(`\`holdstill ${spelled(args.join(" "))}\` is refused with what is wrong and what to do`, async () => {
    const { stdout, stderr, exitCode } = await holdstill(args);
    assert.deepEqual([stdout, stderr, exitCode], ["", `holdstill: ${says}\n→ ${hints}\n`, 2]);
  });
}

test("with --json an error is the one document on stdout, also where the arguments could not be read", async () => {
  const { stdout, stderr, exitCode } = await holdstill(["list", "--colour", "--json"]);
  assert.deepEqual([stderr, exitCode], ["", 2]);
  const { error } = JSON.parse(stdout) as { error: { code: string; message: string } };
  assert.equal(error.code, "E_USAGE");
  assert.equal(error.message, "Unknown option --colour of `list`.");
  const unknownForm = await holdstill(["list", "--json=stream"]);
  assert.match(unknownForm.stdout, /\{"type":"ended".*`list` does not support --json=stream/);
});

test("options that all commands know may stand before the command", async (t) => {
  const { config } = sceneConfig(tempDir(t));
  const { stdout } = await holdstill(["--config", config, "--json", "list"]);
  assert.deepEqual(JSON.parse(stdout), { sets: [], damaged: [] });
});

test("what follows -- is an operand", async (t) => {
  const { config } = sceneConfig(tempDir(t));
  const { stderr, exitCode } = await holdstill(["show", "--config", config, "--", "--json"]);
  assert.match(stderr, /Unknown snapshot set `--json`/);
  assert.equal(exitCode, 2);
});

test("each fault of a config is shown with its line, what was seen, what is expected and the nearest name", async (t) => {
  const file = path.join(tempDir(t), "holdstill.yaml");
  writeFileSync(file, "limts: {}\nplugins:\n  - use: provider-reflink\n    optons: {}\n");
  const { stderr, exitCode } = await holdstill(["list", "--config", file]);
  assert.equal(exitCode, 2);
  assert.equal(
    stderr,
    `holdstill: The config has 2 errors.
  ${file}:1 /limts: found property "limts", expected no property "limts" here (did you mean limits?)
  ${file}:4 /plugins/0/optons: found property "optons", expected no property "optons" here (did you mean options?)
→ Fix each line listed. Nothing was started.
`,
  );
});

test("a damaged record is reported on stderr, and the others are listed", async (t) => {
  const dir = tempDir(t);
  const { config } = sceneConfig(dir);
  const sets = path.join(dir, "state/sets");
  for (const id of ["20260102-030405-a1b2c3", "20260103-030405-a1b2c3"])
    mkdirSync(path.join(sets, id), { recursive: true });
  const sample = readFileSync(path.join(repository, "schemas/samples/valid/snapshot-set.postgres-on-lvm.json"));
  writeFileSync(path.join(sets, "20260102-030405-a1b2c3/set.json"), sample);
  writeFileSync(path.join(sets, "20260103-030405-a1b2c3/set.json"), "{");
  const { stdout, stderr, exitCode } = await holdstill(["list", "--config", config]);
  assert.equal(exitCode, 0);
  assert.match(
    stdout.replaceAll(/ +/g, " "),
    /^SET NAME AGE CONSISTENCY SIZE EXPOSED TARGETS\n20260102-030405-a1b2c3 nightly \d+ \w+ application 4\.0 KiB read-only \/srv\n$/,
  );
  assert.match(stderr, /^damaged record: .*20260103-030405-a1b2c3\/set\.json\n/);
  const ids = await holdstill(["list", "--quiet", "--config", config]);
  assert.equal(ids.stdout, "20260102-030405-a1b2c3\n");
});

test("a reader that goes away is no fault", async () => {
  const { stderr, exitCode } = await holdstill(["--help"], { onStart: (child) => child.stdout?.destroy() });
  assert.deepEqual([stderr, exitCode], ["", 0]);
});

test("output that cannot be written is a fault", { skip: !existsSync("/dev/full") }, () => {
  const { stderr, status } = spawnSync("sh", ["-c", `"$0" "$1" --help >/dev/full`, process.execPath, program], {
    encoding: "utf8",
  });
  assert.match(stderr, /^holdstill: The output could not be written: ENOSPC/);
  assert.equal(status, 1);
});

test("file calls that hang do not stop the others: the pool is larger than Node's", (t) => {
  const dir = tempDir(t);
  const preload = path.join(dir, "preload.cjs");
  // Six opens that wait for a writer would fill the four threads that Node has by itself.
  writeFileSync(
    preload,
    `const fs = require("node:fs");
const { execFileSync } = require("node:child_process");
const end = (text) => { fs.writeSync(1, text); process.kill(process.pid, "SIGKILL"); };
process.once("beforeExit", () => {
  for (const name of "abcdef") {
    const fifo = ${JSON.stringify(dir)} + "/" + name;
    execFileSync("mkfifo", [fifo]);
    fs.open(fifo, "r", () => {});
  }
  setTimeout(() => end("starved"), 10_000);
  fs.stat(".", () => end("answered"));
});
`,
  );
  const args = ["--require", preload, program, "--version"];
  const { stdout } = spawnSync(process.execPath, args, { encoding: "utf8", env: { PATH: process.env["PATH"] } });
  assert.match(stdout, /answered$/);
});

/** Runs the command line and lists what it loaded of the core, and of packages, in order of name. */
async function loading(t: TestContext, args: readonly string[]): Promise<{ stdout: string; loaded: string[] }> {
  const file = path.join(tempDir(t), "loaded");
  const hooks = path.join(repository, "test/dist/support/process/loaded-modules.js");
  const { stdout, stderr, exitCode } = await holdstill(args, {
    env: { HOLDSTILL_TEST_LOADED: file },
    nodeArgs: ["--import", hooks],
  });
  assert.deepEqual([stderr, exitCode], ["", 0]);
  const core = pathToFileURL(path.dirname(path.dirname(program))).href;
  const urls = new Set(readFileSync(file, "utf8").trim().split("\n"));
  const loaded = [...urls]
    .filter((url) => !url.startsWith("node:") && !url.endsWith("/support/process/loaded-modules.js"))
    .map((url) => url.replace(`${core}/`, ""));
  return { stdout, loaded: loaded.toSorted() };
}
