import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { parseDuration } from "#core/base/config/duration.js";
import { loadSettings, type ConfigSource } from "#core/base/config/load.js";
import { xdg, type Settings } from "#core/base/config/settings.js";
import type { Finding } from "#core/base/schema/types.js";
import type { HoldstillError } from "#core/base/errors/error.js";
import { refusalOf } from "../../../support/process/refusal.js";
import { tempDir } from "../../../support/storage/temp.js";

const root = process.geteuid?.() === 0;

test("without any config file everything has its default", async (t) => {
  const cwd = tempDir(t);
  const settings = await loadSettings({ cwd, env: { HOME: cwd }, folders: [cwd] });
  const { lineOf: _, ...plain } = settings;
  assert.deepEqual(plain, {
    file: null,
    pluginPaths: [],
    stateDir: root ? "/var/lib/holdstill" : path.join(cwd, ".local/state/holdstill"),
    exposeDir: root ? "/run/holdstill" : path.join(cwd, ".local/state/holdstill-exposed"),
    usageIntervalMs: 30_000,
    limits: {
      queue: 600_000,
      identify: 30_000,
      prepare: 600_000,
      freeze: 60_000,
      hold: 10_000,
      copy: 3_600_000,
      seal: 300_000,
      ready: 600_000,
      repair: 1_800_000,
      verdict: 600_000,
      complete: 300_000,
      abort: 30_000,
    },
    repair: "inline",
    instances: [],
    log: { level: "info", file: null },
    service: {
      socket: plain.service.socket,
      group: null,
      rights: { read: [], create: [], delete: [], restore: [] },
      operations: 64,
    },
    cluster: null,
    lockFile: null,
  });
  if (root) assert.equal(plain.service.socket, "/run/holdstill.sock");
});

test("a config is read into settings whose paths are relative to the file and whose durations are milliseconds", async (t) => {
  const dir = tempDir(t);
  const file = write(
    dir,
    "etc/holdstill.yaml",
    `pluginPaths: [plugins, /opt/acme, plugins/../plugins]
stateDir: state
limits: { freeze: 1.5s, hold: 250 }
plugins:
  - use: provider-acme
  - { use: writer-pg@>=1 <3, as: pg, policy: best-effort, isolation: process, freeze: 20s, options: { host: h } }
log: { file: log.jsonl, level: debug }
`,
  );
  const settings = await loadSettings({ cwd: dir, env: {}, file: "etc/holdstill.yaml" });
  assert.equal(settings.file, file);
  assert.deepEqual(settings.pluginPaths, [path.join(dir, "etc/plugins"), "/opt/acme"]);
  assert.equal(settings.stateDir, path.join(dir, "etc/state"));
  assert.equal(settings.limits.freeze, 1500);
  assert.equal(settings.limits.hold, 250);
  assert.equal(settings.limits.prepare, 600_000);
  assert.deepEqual(settings.log, { level: "debug", file: path.join(dir, "etc/log.jsonl") });
  assert.deepEqual(settings.instances, [
    {
      name: "provider-acme",
      use: { name: "provider-acme", range: "*" },
      policy: "required",
      isolation: null,
      freezeMs: null,
      environment: [],
      options: {},
      place: { file, line: 5, pointer: "/plugins/0" },
    },
    {
      name: "pg",
      use: { name: "writer-pg", range: ">=1 <3" },
      policy: "best-effort",
      isolation: "process",
      freezeMs: 20_000,
      environment: [],
      options: { host: "h" },
      place: { file, line: 6, pointer: "/plugins/1" },
    },
  ]);
});

test("all faults of a config come at once, each with its line", async (t) => {
  const dir = tempDir(t);
  const file = write(
    dir,
    "holdstill.yaml",
    `limits: { hold: 25h, freez: 3s }
limits: { hold: 25h, freez: 3s }
plugins:
  - { use: a }
  - { use: b, as: a }
  - { use: a, polcy: required }
  - { use: c, freeze: 0.1ms }
`,
  );
  const error = await refusal({ cwd: dir, env: {}, file });
  assert.equal(error.code, "E_CONFIG_INVALID");
  assert.deepEqual(
    (error.details as { findings: Finding[] }).findings.map(({ line, pointer }) => [line, pointer]),
    [
      [2, "/limits"],
      [2, "/limits/freez"],
      [6, "/plugins/2/polcy"],
      [2, "/limits/hold"],
      [7, "/plugins/3/freeze"],
      [5, "/plugins/1/as"],
      [6, "/plugins/2"],
    ],
  );
});

test("the first folder that has a config wins, and only YAML and JSON are looked for", async (t) => {
  const dir = tempDir(t);
  const folders = ["a", "b", "c"].map((name) => path.join(dir, name));
  write(dir, "a/holdstill.config.js", "throw new Error('was run')");
  write(dir, "a/package.json", '{"holdstill": {"stateDir": "/wrong"}}');
  const second = write(dir, "b/holdstill.json", '{"stateDir": "/json"}');
  write(dir, "c/holdstill.yaml", "stateDir: /yaml");
  assert.equal((await loadSettings({ cwd: dir, env: {}, folders })).file, second);
  const first = write(dir, "b/holdstill.yml", "");
  assert.equal((await loadSettings({ cwd: dir, env: {}, folders })).file, first);
});

test("the usual folders are the current one and the user's", async (t) => {
  const dir = tempDir(t);
  const [cwd, env] = [path.join(dir, "cwd"), { XDG_CONFIG_HOME: path.join(dir, "xdg") }];
  const users = write(dir, "xdg/holdstill/holdstill.yaml", "");
  assert.equal((await loadSettings({ cwd, env })).file, users);
  assert.equal((await loadSettings({ cwd, env: { HOME: dir, XDG_CONFIG_HOME: "relative" } })).file, null);
  const own = write(dir, "cwd/holdstill.yaml", "");
  assert.equal((await loadSettings({ cwd, env })).file, own);
});

test("code in the current folder is never run, not even what cosmiconfig looks for on its own account", async (t) => {
  const dir = tempDir(t);
  const mark = path.join(dir, "was-run");
  for (const name of ["config.cjs", "config.js"]) {
    write(
      dir,
      `.config/${name}`,
      `require("node:fs").writeFileSync(${JSON.stringify(mark)}, ""); module.exports = {};`,
    );
  }
  await loadFreshIn(dir, t);
  assert.ok(!existsSync(mark));
});

test("nor can a file in the current folder widen the search", async (t) => {
  const dir = tempDir(t);
  write(dir, ".config/config.json", '{"cosmiconfig": {"searchPlaces": ["other.json"]}}');
  write(dir, "other.json", '{"stateDir": "/wrong"}');
  assert.equal((await loadFreshIn(dir, t)).file, null);
});

test("a relative path in an XDG variable is ignored, as the specification says", () => {
  assert.equal(
    xdg({ XDG_STATE_HOME: "here", HOME: "/home/me" }, "XDG_STATE_HOME", ".local/state"),
    "/home/me/.local/state",
  );
  assert.equal(xdg({ XDG_STATE_HOME: "/there", HOME: "/home/me" }, "XDG_STATE_HOME", ".local/state"), "/there");
});

test("the environment names the config, the state directory and further plugin paths", async (t) => {
  const dir = tempDir(t);
  const file = write(dir, "given.yaml", "pluginPaths: [/opt/acme]\nstateDir: /from/config");
  write(dir, "holdstill.yaml", "stateDir: /wrong");
  const env = {
    HOLDSTILL_CONFIG: "given.yaml",
    HOLDSTILL_STATE_DIR: "state",
    HOLDSTILL_PLUGIN_PATH: "mine::/opt/more",
  };
  const settings = await loadSettings({ cwd: dir, env });
  assert.equal(settings.file, file);
  assert.equal(settings.stateDir, path.join(dir, "state"));
  assert.deepEqual(settings.pluginPaths, [path.join(dir, "mine"), "/opt/more", "/opt/acme"]);
  const other = write(dir, "other.yaml", "");
  assert.equal((await loadSettings({ cwd: dir, env, file: other })).file, other);
});

test("a lock file beside the config is noticed", async (t) => {
  const dir = tempDir(t);
  const file = write(dir, "holdstill.yaml", "");
  assert.equal((await loadSettings({ cwd: dir, env: {}, file })).lockFile, null);
  const lock = write(dir, "holdstill.lock.json", "{}");
  assert.equal((await loadSettings({ cwd: dir, env: {}, file })).lockFile, lock);
});

test("a named config that does not exist, or is a folder, is refused with its own code", async (t) => {
  const dir = tempDir(t);
  assert.equal((await refusal({ cwd: dir, env: {}, file: "no.yaml" })).code, "E_CONFIG_NOT_FOUND");
  assert.equal((await refusal({ cwd: dir, env: {}, file: dir })).code, "E_CONFIG_UNREADABLE");
});

test("a config that may not be read is not passed over", { skip: root && "root may read everything" }, async (t) => {
  const dir = tempDir(t);
  chmodSync(write(dir, "holdstill.yaml", ""), 0o000);
  assert.equal((await refusal({ cwd: dir, env: {}, folders: [dir] })).code, "E_CONFIG_UNREADABLE");
});

test("a config that was found and that anybody could have written is refused, and read when it is named", async (t) => {
  const dir = tempDir(t);
  const file = write(dir, "holdstill.yaml", "");
  chmodSync(file, 0o666);
  const error = await refusal({ cwd: dir, env: {}, folders: [dir] });
  assert.equal(error.code, "E_CONFIG_UNTRUSTED");
  assert.match(error.message, /writable for/);
  assert.ok(error.hint.includes(`chmod go-w ${file}`) && error.hint.includes("--config"), error.hint);
  assert.equal((await loadSettings({ cwd: dir, env: {}, file })).file, file);
});

test("a config in a folder that anybody may write to, or linked to such a file, is refused", async (t) => {
  const dir = tempDir(t);
  write(dir, "open/holdstill.yaml", "");
  chmodSync(path.join(dir, "open"), 0o777);
  assert.equal((await refusal({ cwd: dir, env: {}, folders: [path.join(dir, "open")] })).code, "E_CONFIG_UNTRUSTED");
  mkdirSync(path.join(dir, "linked"));
  symlinkSync("../open/holdstill.yaml", path.join(dir, "linked/holdstill.yaml"));
  assert.equal((await refusal({ cwd: dir, env: {}, folders: [path.join(dir, "linked")] })).code, "E_CONFIG_UNTRUSTED");
  const safe = write(dir, "safe.yaml", "");
  mkdirSync(path.join(dir, "swapped"));
  symlinkSync(safe, path.join(dir, "swapped/holdstill.yaml"));
  chmodSync(path.join(dir, "swapped"), 0o777);
  assert.equal((await refusal({ cwd: dir, env: {}, folders: [path.join(dir, "swapped")] })).code, "E_CONFIG_UNTRUSTED");
});

test("durations are read in every unit, and refused outside 1 ms to 24 h", () => {
  const read: [unknown, number | undefined][] = [
    ["250ms", 250],
    ["3s", 3000],
    ["10m", 600_000],
    ["1.5h", 5_400_000],
    [40, 40],
    ["24h", 86_400_000],
    ["25h", undefined],
    ["0s", undefined],
    [0, undefined],
    [Number.NaN, undefined],
    ["3", undefined],
    ["-3s", undefined],
    ["3 s", undefined],
  ];
  for (const [text, ms] of read) assert.equal(parseDuration(text), ms, String(text));
});

function write(dir: string, name: string, text: string): string {
  const file = path.join(dir, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

/** With a module instance of its own, for cosmiconfig looks around when an explorer is made. */
async function loadFreshIn(dir: string, t: TestContext): Promise<Settings> {
  const before = process.cwd();
  process.chdir(dir);
  t.after(() => process.chdir(before));
  const url = `${import.meta.resolve("#core/base/config/load.js")}?in=${dir}`;
  const module = (await import(url)) as { loadSettings: typeof loadSettings };
  return module.loadSettings({ cwd: dir, env: {}, folders: [dir] });
}

async function refusal(source: ConfigSource): Promise<HoldstillError> {
  return refusalOf(loadSettings(source));
}
