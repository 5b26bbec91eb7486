/** A secret of the options in everything that a plugin can say, and a look into everything that holdstill writes. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import type { Fault } from "#core/base/schema/types.js";
import type { WorkerRuntime } from "#core/host/isolation/session.js";
import { type CliRun, holdstill } from "../support/process/command-line.js";
import { type Blabbermouth, writeBlabbermouth } from "../support/fixture/blabbermouth.js";
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
    store: { type: "string" },
    fails: { type: "string" },
    servers: { type: "array", items: { type: "object", properties: { key: { $ref: "#/$defs/key" } } } },
  },
  $defs: { key: secret },
};

interface Cage {
  dir: string;
  data: string;
  file: string;
  run: (args: readonly string[], given: object, env?: Record<string, string>) => Promise<CliRun>;
}

function cage(t: TestContext, runtime: WorkerRuntime = "thread", kind: Blabbermouth = "writer"): Cage {
  const dir = tempDir(t);
  const data = path.join(dir, "data");
  mkdirSync(data);
  writeFileSync(path.join(data, "file"), "content");
  const store = path.join(dir, "store");
  mkdirSync(store);
  writeBlabbermouth(path.join(dir, "plugins"), kind, runtime, options);
  const isolation = runtime === "executable" ? {} : { isolation: runtime };
  const place = kind === "writer" ? { data } : { store };
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
        plugins: [{ use: `${kind}-acme`, as: "app", ...isolation, options: { ...place, ...given } }],
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

const some = ["nothing", "freeze"];
/** The calls that fail, one in each set. */
const failing: Record<Blabbermouth, Record<WorkerRuntime, readonly string[]>> = {
  writer: { thread: ["nothing", "identify", "prepare", "freeze", "thaw", "seal"], process: some, executable: some },
  provider: { thread: [], process: [], executable: ["nothing", "match", "prepare", "commit", "seal"] },
};
const ofProviders = [
  ["providers"],
  ["providers", "--json"],
  ["list", "--usage"],
  ["show", "latest", "--usage", "--json"],
  ["metrics", "--usage"],
  ["expose", "latest", "--json"],
  ["unexpose", "latest"],
  ["delete", "latest", "--yes"],
];

const places = { thread: "in a thread", process: "in a process", executable: "that is a program" } as const;

for (const [kind, runtime] of [
  ["writer", "thread"],
  ["writer", "process"],
  ["writer", "executable"],
  ["provider", "executable"],
] as const) {
  test(`no secret of a ${kind} ${places[runtime]} gets out, whatever it says and wherever it fails`, async (t) => {
    const coop = cage(t, runtime, kind);
    const target = kind === "writer" ? "writer:app" : coop.data;
    const given = { password: { file: coop.file }, servers: [{ key: { env: "CANARY" } }] };
    const runs: CliRun[] = [];
    const on = async (args: readonly string[], more: object = {}): Promise<CliRun> => {
      const run = await coop.run(args, { ...given, ...more }, { CANARY: canary });
      runs.push(run);
      return run;
    };
    for (const fails of failing[kind][runtime]) {
      const made = await on(["create", target, "--json=stream"], { fails });
      assert.equal(made.exitCode === 0, fails === "nothing", made.stdout);
      assert.doesNotMatch(made.stdout, /did not arrive|does not get it/);
      assert.match(made.stdout, /(?:freeze|commit) with \(hidden\)|failed with \(hidden\)/);
    }
    for (const args of [
      ["create", target, "--verbose"],
      ["plan", target],
      ["plan", target, "--json"],
      ["show", "latest"],
      ["show", "latest", "--json"],
      ["writers", "--json"],
      ["plugins", "list", "--json"],
      ["plugins", "why", "app", "--json"],
      ["plugins", "lock"],
      ["recover", "--yes", "--json"],
      ...(kind === "writer" ? [] : ofProviders),
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
