/** A secret of the options in everything that a plugin can say, and a look into everything that holdstill writes. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import type { Fault } from "#core/base/schema/types.js";
import type { WorkerRuntime } from "#core/host/isolation/session.js";
import { repository } from "../support/repository.js";
import { type CliRun, holdstill } from "../support/process/command-line.js";
import { writePlugin } from "../support/fixture/plugin-folder.js";
import { tempDir } from "../support/storage/temp.js";

const canary = 'c4nary/"of\\the&coal mine';
const encoded = [
  canary,
  JSON.stringify(canary).slice(1, -1),
  encodeURIComponent(canary),
  Buffer.from(canary).toString("base64"),
];

const secret = { type: "string", minLength: 8, pattern: "coal", writeOnly: true };
const options = {
  type: "object",
  additionalProperties: false,
  required: ["password"],
  properties: {
    password: secret,
    data: { type: "string" },
    fails: { type: "string" },
    servers: { type: "array", items: { type: "object", properties: { key: { $ref: "#/$defs/key" } } } },
  },
  $defs: { key: secret },
};

/** Tells its password wherever it can, in every form that a program would. */
const blabbermouth = `
const facts = (o) => ({ plain: o.password, nested: [{ dsn: "pg://u:" + encodeURIComponent(o.password) + "@h" }], [o.password]: 1 });
const blab = async (op, ctx) => {
  const { password } = ctx.options;
  if (!password.includes("coal")) throw new Error("the password did not arrive: " + typeof password);
  const json = JSON.stringify(ctx.options);
  for (const level of ["debug", "info", "warn", "error"]) ctx.log[level](op + " with " + password, { json, options: ctx.options });
  ctx.progress(op + " as " + Buffer.from(password).toString("base64"));
  console.log(json);
  console.error("stderr " + password);
  const { stdout } = await ctx.exec("printenv", ["IT"], { env: { IT: password } });
  if (stdout !== password + "\\n") throw new Error("a command does not get it");
  if (ctx.options.fails !== op) return;
  throw Object.assign(new Error(op + " failed with " + password), {
    code: "X", hint: "try " + password, details: { password }, cause: new Error(json),
  });
};
export default {
  async identify(ctx) {
    await blab("identify", ctx);
    return [{ name: "data", kind: "files", paths: [ctx.options.data], tolerates: "fuzzy", facts: facts(ctx.options) }];
  },
  async prepare(tx, ctx) { await blab("prepare", ctx); },
  async freeze(tx, ctx) { await blab("freeze", ctx); return facts(ctx.options); },
  async thaw(tx, token, ctx) { await blab("thaw", ctx); return { uninterrupted: true, facts: facts(ctx.options) }; },
  async seal(tx, ctx) { await blab("seal", ctx); return { files: [], facts: facts(ctx.options) }; },
  async abort(tx, token, ctx) { await blab("abort", ctx); },
};
`;

/** The same as a program. */
const blabbermouthProgram = (rpc: string): string => `#!/usr/bin/python3 -B
import base64, json, sys, urllib.parse
sys.path.insert(0, ${JSON.stringify(rpc)})
from holdstill_rpc import PluginError, serve

class Writer:
    def __init__(self, options):
        self.options, self.password = options, options["password"]

    def facts(self):
        dsn = f"pg://u:{urllib.parse.quote(self.password, safe='')}@h"
        return {"plain": self.password, "nested": [{"dsn": dsn}], self.password: 1}

    def blab(self, op, ctx):
        if "coal" not in self.password:
            raise Exception(f"the password did not arrive: {type(self.password)}")
        text = json.dumps(self.options)
        for level in ("debug", "info", "warn", "error"):
            ctx.log(f"{op} with {self.password}", level=level, json=text, options=self.options)
        ctx.progress(f"{op} as {base64.b64encode(self.password.encode()).decode()}")
        print(text)
        print(f"stderr {self.password}", file=sys.stderr)
        if ctx.exec("printenv", ["IT"], {"env": {"IT": self.password}})["stdout"] != f"{self.password}\\n":
            raise Exception("a command does not get it")
        if self.options.get("fails") == op:
            try:
                raise Exception(text)
            except Exception as cause:
                raise PluginError("X", f"{op} failed with {self.password}", f"try {self.password}") from cause

    def identify(self, ctx):
        self.blab("identify", ctx)
        paths = [self.options["data"]]
        return [{"name": "data", "kind": "files", "paths": paths, "tolerates": "fuzzy", "facts": self.facts()}]

    def prepare(self, tx, ctx):
        self.blab("prepare", ctx)

    def freeze(self, tx, ctx):
        self.blab("freeze", ctx)
        return self.facts()

    def thaw(self, tx, token, ctx):
        self.blab("thaw", ctx)
        return {"uninterrupted": True, "facts": self.facts()}

    def seal(self, tx, ctx):
        self.blab("seal", ctx)
        return {"files": [], "facts": self.facts()}

    def abort(self, tx, token, ctx):
        self.blab("abort", ctx)

serve(Writer)
`;

interface Cage {
  dir: string;
  data: string;
  file: string;
  run: (args: readonly string[], given: object, env?: Record<string, string>) => Promise<CliRun>;
}

function cage(t: TestContext, runtime: WorkerRuntime = "thread"): Cage {
  const dir = tempDir(t);
  const data = path.join(dir, "data");
  mkdirSync(data);
  writeFileSync(path.join(data, "file"), "content");
  const isProgram = runtime === "executable";
  const kind = isProgram ? { runtime, main: "./main.py" } : { main: "./index.mjs" };
  const changes = { options, requires: { commands: ["printenv"] }, ...kind };
  const plugin = writePlugin(path.join(dir, "plugins/writer-acme"), changes);
  const code = isProgram ? blabbermouthProgram(path.join(repository, "core/template/python")) : blabbermouth;
  writeFileSync(path.join(plugin, kind.main), code, { mode: 0o755 });
  const isolation = isProgram ? {} : { isolation: runtime };
  const file = path.join(dir, "secret");
  writeFileSync(file, `${canary}\n`, { mode: 0o600 });
  return {
    dir,
    data,
    file,
    run(args, given, env = {}) {
      const config = path.join(dir, "holdstill.json");
      const text = {
        pluginPaths: [path.join(dir, "plugins")],
        stateDir: path.join(dir, "state"),
        log: { level: "debug", file: path.join(dir, "log") },
        plugins: [{ use: "writer-acme", as: "app", ...isolation, options: { data, ...given } }],
      };
      writeFileSync(config, JSON.stringify(text), { mode: 0o600 });
      return holdstill([...args, "--config", config], { env });
    },
  };
}

/** Wherever the canary sings: in what was printed, and in each file that was written; the config and the secret's file are its cage. */
function songs({ dir }: Cage, runs: readonly CliRun[]): string[] {
  const files = readdirSync(dir, { recursive: true, encoding: "utf8" })
    .map((name) => path.join(dir, name))
    .filter((file) => statSync(file).isFile() && !["secret", "holdstill.json"].includes(path.basename(file)));
  const texts = [
    ...files.map((file) => [file, readFileSync(file, "utf8")]),
    ...runs.flatMap(({ stdout, stderr }, index) => [
      [`stdout ${index}`, stdout],
      [`stderr ${index}`, stderr],
    ]),
  ];
  return texts.flatMap(([where = "", text = ""]) => (encoded.some((one) => text.includes(one)) ? [where] : []));
}

const ops = ["nothing", "identify", "prepare", "freeze", "thaw", "seal"];

const places = { thread: "in a thread", process: "in a process", executable: "that is a program" } as const;

for (const runtime of ["thread", "process", "executable"] as const) {
  test(`no secret of a plugin ${places[runtime]} gets out, whatever it says and wherever it fails`, async (t) => {
    const coop = cage(t, runtime);
    const given = { password: { file: coop.file }, servers: [{ key: { env: "CANARY" } }] };
    const runs: CliRun[] = [];
    const on = async (args: readonly string[], more: object = {}): Promise<CliRun> => {
      const run = await coop.run(args, { ...given, ...more }, { CANARY: canary });
      runs.push(run);
      return run;
    };
    for (const fails of runtime === "thread" ? ops : ["nothing", "freeze"]) {
      const made = await on(["create", "writer:app", "--json=stream"], { fails });
      assert.equal(made.exitCode === 0, fails === "nothing", made.stdout);
      assert.doesNotMatch(made.stdout, /did not arrive|does not get it/);
      assert.match(made.stdout, /freeze with \(hidden\)|failed with \(hidden\)/);
    }
    for (const args of [
      ["create", "writer:app", "--verbose"],
      ["plan", "writer:app"],
      ["plan", "writer:app", "--json"],
      ["show", "latest"],
      ["show", "latest", "--json"],
      ["writers", "--json"],
      ["plugins", "list", "--json"],
      ["plugins", "why", "app", "--json"],
      ["plugins", "lock"],
      ["recover", "--yes", "--json"],
    ]) {
      const { exitCode, stderr } = await on(args);
      assert.equal(exitCode, 0, `${args.join(" ")}: ${stderr}`);
    }
    assert.match(readFileSync(path.join(coop.dir, "log"), "utf8"), /prepare with \(hidden\)/);
    assert.deepEqual(songs(coop, runs), []);
  });
}

test("a secret that is not there, or that others can read, is a fault of the config, and all are told at once", async (t) => {
  const coop = cage(t);
  chmodSync(coop.file, 0o644);
  const servers = [
    { key: { env: "NO_SUCH_VARIABLE" } },
    { key: { file: "/no/such" } },
    { key: { fiel: "/x" } },
    { key: {} },
  ];
  const refused = await coop.run(["create", "writer:app", "--json"], { password: { file: coop.file }, servers });
  assert.equal(refused.exitCode, 2);
  const { error } = refused.json() as { error: Fault };
  assert.equal(error.code, "E_CONFIG_INVALID");
  const findings = error.details?.["findings"] as { pointer: string; seen: string; expected: string }[];
  assert.deepEqual(
    findings.map(({ pointer }) => pointer.replace("/plugins/0/options", "")),
    ["/password", "/servers/0/key", "/servers/1/key", "/servers/2/key", "/servers/3/key"],
  );
  assert.match(findings[0]?.seen ?? "", /is readable for all users$/);
  assert.match(findings[0]?.expected ?? "", /^a file that only its owner can read: chmod go-r /);
  assert.match(findings[1]?.expected ?? "", /a variable NO_SUCH_VARIABLE that is set/);
});

test("a secret is checked like any option, and a fault does not show it", async (t) => {
  const coop = cage(t);
  const runs: CliRun[] = [];
  for (const [given, says] of [
    [{ password: "c4nary of the gold mine" }, /\/options\/password: found \(hidden\), expected text that matches coal/],
    [{ password: canary, servers: [{ key: "no c4nary" }], extra: 1 }, /servers\/0\/key: found \(hidden\)/],
    [{ password: canary, extra: 1 }, /property "extra"/],
    [
      { password: { plain: "c4nary" } },
      /found \(hidden\), expected a string, \{ "env": NAME \} or \{ "file": "\/PATH" \}/,
    ],
  ] as const) {
    const run = await coop.run(["plan", "writer:app"], given);
    runs.push(run);
    assert.equal(run.exitCode, 2);
    assert.match(run.stderr, says);
    assert.doesNotMatch(run.stderr, /c4nary/);
  }
  assert.deepEqual(songs(coop, runs), []);
});

test("a secret in the config itself is taken, with a warning where others can read the config", async (t) => {
  const coop = cage(t);
  const quiet = await coop.run(["create", "writer:app"], { password: canary });
  assert.equal(quiet.exitCode, 0, quiet.stderr);
  assert.doesNotMatch(quiet.stderr, /warning/);
  chmodSync(path.join(coop.dir, "holdstill.json"), 0o644);
  const warned = await coop.run(["create", "writer:app"], { password: canary });
  assert.equal(warned.exitCode, 0, warned.stderr);
  assert.match(
    warned.stderr,
    /warning: The secret \/password of app is in the config, and .* is readable for all users: chmod go-r /,
  );
  assert.deepEqual(songs(coop, [quiet, warned]), []);
});
