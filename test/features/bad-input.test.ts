/** Whatever a person can get wrong, through the real command line: a code, a sentence, the next step, and nothing touched. */
import assert from "node:assert/strict";
import { chmodSync, cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { describe, it } from "node:test";
import type { TransactionResult } from "#core/engine/types.js";
import type { Fault } from "#core/base/schema/types.js";
import { holdstill } from "../support/process/command-line.js";
import { pluginsThat } from "../support/fixture/misbehaving-plugins.js";
import { Scene } from "../support/fixture/scene.js";

interface Bad {
  /** What is wrong, as the rest of a sentence. */
  name: string;
  args?: (stage: Scene) => string[];
  config?: (stage: Scene) => Record<string, unknown>;
  code: string;
  exit: 2 | 3 | 4;
  says?: RegExp;
}

const writerAt = (stage: Scene, more: object = {}): object => ({
  use: "writer-that",
  as: "app",
  options: { app: stage.app },
  ...more,
});
const providerAt = (stage: Scene, more: object = {}): object => ({
  use: "provider-that",
  as: "store",
  options: { store: stage.store, ...more },
});
const plugins = (...list: object[]): Record<string, unknown> => ({ pluginPaths: [pluginsThat], plugins: list });

/** A copy of the fixtures that a case may spoil. */
function spoilt(stage: Scene, spoil: (dir: string) => void): Record<string, unknown> {
  const dir = path.join(stage.dir, "plugins");
  cpSync(pluginsThat, dir, { recursive: true });
  spoil(dir);
  return { pluginPaths: [dir], plugins: [writerAt(stage), providerAt(stage)] };
}

function manifest(dir: string, change: Record<string, unknown>, plugin = "writer-that"): void {
  const file = path.join(dir, plugin, "plugin.json");
  writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, "utf8")) as object), ...change }));
}

const cases: Bad[] = [
  { name: "an unknown command", args: () => ["craete", "/srv"], code: "E_USAGE", exit: 2, says: /create/ },
  { name: "an unknown option", args: (s) => ["create", s.app, "--reqiure", "crash"], code: "E_USAGE", exit: 2 },
  { name: "no target", args: () => ["create"], code: "E_USAGE", exit: 2 },
  {
    name: "a target whose symbolic links form a loop",
    args: (s) => {
      symlinkSync("circle", path.join(s.dir, "circle"));
      return ["plan", path.join(s.dir, "circle")];
    },
    code: "E_TARGET_UNREADABLE",
    exit: 3,
    says: /form a loop/,
  },
  { name: "an unknown level", args: (s) => ["create", s.app, "--require", "perfect"], code: "E_USAGE", exit: 2 },
  {
    name: "a config file that is not there",
    args: (s) => ["list", "--config", `${s.dir}/nothing.yaml`],
    code: "E_CONFIG_NOT_FOUND",
    exit: 2,
  },
  {
    name: "a misspelt property and a wrong limit, both told at once",
    config: (s) => ({ ...plugins({ ...writerAt(s), polcy: "required" }), limits: { freeze: "soon" } }),
    code: "E_CONFIG_INVALID",
    exit: 2,
    says: /polcy[^]*soon|soon[^]*polcy/,
  },
  {
    name: "an unknown option of a plugin",
    config: (s) => plugins(writerAt(s), providerAt(s, { stroe: "/x" })),
    code: "E_CONFIG_INVALID",
    exit: 2,
    says: /stroe/,
  },
  {
    name: "a plugin that is not installed",
    config: (s) => plugins(writerAt(s), { use: "acme-array" }),
    code: "E_PLUGIN_UNRESOLVED",
    exit: 2,
  },
  {
    name: "a version that is not installed",
    config: (s) => plugins({ ...writerAt(s), use: "writer-that@^9" }),
    code: "E_PLUGIN_UNRESOLVED",
    exit: 2,
  },
  {
    name: "two instances of one name",
    config: (s) => plugins(writerAt(s), writerAt(s), providerAt(s)),
    code: "E_CONFIG_INVALID",
    exit: 2,
  },
  {
    name: "a broken manifest",
    config: (s) => spoilt(s, (dir) => writeFileSync(path.join(dir, "writer-that/plugin.json"), "{")),
    code: "E_MANIFEST_INVALID",
    exit: 2,
  },
  {
    name: "a manifest against the schema",
    config: (s) => spoilt(s, (dir) => manifest(dir, { kind: "reader" })),
    code: "E_MANIFEST_INVALID",
    exit: 2,
  },
  {
    name: "a plugin for another holdstill",
    config: (s) => spoilt(s, (dir) => manifest(dir, { engines: { holdstill: "^7" } })),
    code: "E_PLUGIN_UNRESOLVED",
    exit: 2,
  },
  {
    name: "a plugin of a later protocol",
    config: (s) => spoilt(s, (dir) => manifest(dir, { protocol: [2] })),
    code: "E_PLUGIN_UNRESOLVED",
    exit: 2,
  },
  {
    name: "a plugin that everybody can change",
    config: (s) => spoilt(s, (dir) => chmodSync(path.join(dir, "writer-that/index.js"), 0o666)),
    code: "E_PLUGIN_UNTRUSTED",
    exit: 2,
    says: /chmod/,
  },
  {
    name: "a plugin with a link that leads out of it",
    config: (s) => spoilt(s, (dir) => symlinkSync("/etc/passwd", path.join(dir, "writer-that/extra"))),
    code: "E_PLUGIN_UNTRUSTED",
    exit: 2,
  },
  {
    name: "two plugins of one name and version",
    config: (s) =>
      spoilt(s, (dir) => cpSync(path.join(dir, "writer-that"), path.join(dir, "writer-copy"), { recursive: true })),
    code: "E_PLUGIN_UNRESOLVED",
    exit: 2,
  },
  {
    name: "a command that is not on this machine",
    config: (s) => spoilt(s, (dir) => manifest(dir, { requires: { commands: ["no-such-program"] } })),
    code: "E_EXEC_MISSING",
    exit: 2,
    says: /no-such-program/,
  },
  {
    name: "a target that is not there",
    args: (s) => ["create", `${s.dir}/nothing`],
    code: "E_TARGET_UNREADABLE",
    exit: 3,
  },
  {
    name: "a writer that nobody knows",
    args: () => ["create", "writer:ap"],
    code: "E_TARGET_UNKNOWN",
    exit: 2,
    says: /Did you mean `app`/,
  },
  {
    name: "a provider that wants the kernel to hold what cannot be held",
    config: (s) => plugins(writerAt(s), providerAt(s, { hold: ["/proc/sys"] })),
    code: "E_HOLD_REFUSED",
    exit: 3,
    says: /it is not a mount point/,
  },
  {
    name: "a target that no provider can capture",
    config: (s) => plugins(writerAt(s), providerAt(s, { mine: false })),
    code: "E_NO_PROVIDER",
    exit: 3,
  },
  {
    name: "a consistency that cannot be reached",
    args: (s) => ["create", s.dir, "--require", "crash"],
    code: "E_PLAN_BELOW",
    exit: 3,
  },
  {
    name: "a writer that needs an instant, and a provider that copies",
    config: (s) => plugins(writerAt(s, { options: { app: s.app, tolerates: "point-in-time" } }), providerAt(s)),
    code: "E_PLAN_INCONSISTENT",
    exit: 3,
  },
  { name: "a set that is not there", args: () => ["show", "20200101-000000-000000"], code: "E_SET_UNKNOWN", exit: 2 },
];

describe("bad input is told with a code and the next step, and touches nothing:", { concurrency: 2 }, () => {
  for (const { name, args = () => ["create", "writer:app"], config, code, exit, says } of cases) {
    it(name, async (t) => {
      const stage = new Scene(t);
      const file = path.join(stage.dir, "bad.json");
      const good = plugins(writerAt(stage), providerAt(stage));
      writeFileSync(file, JSON.stringify({ stateDir: path.join(stage.dir, "state"), ...(config?.(stage) ?? good) }));
      const given = args(stage);
      const ran = await holdstill([...given, "--json", ...(given.includes("--config") ? [] : ["--config", file])]);

      const { error } = ran.json() as { error: Fault };
      assert.equal(error.code, code, ran.stdout + ran.stderr);
      assert.equal(ran.exitCode, exit);
      assert.notEqual(error.hint ?? "", "", "the next step is said");
      if (says !== undefined) assert.match(JSON.stringify(error), says);
      assert.equal(stage.isFrozen(), false);
      assert.deepEqual(stage.stored(), []);
    });
  }
});

test("a cyclic config is a finding with its line, and no endless loop", async (t) => {
  const stage = new Scene(t);
  const file = path.join(stage.dir, "cyclic.yaml");
  writeFileSync(file, "plugins: &p\n  - *p\n");
  const ran = await holdstill(["list", "--json", "--config", file]);
  assert.equal((ran.json() as { error: Fault }).error.code, "E_CONFIG_INVALID");
  assert.equal(ran.exitCode, 2);
});

test("a best-effort writer that fails is left out, and the record says so", async (t) => {
  const stage = new Scene(t);
  const ran = await stage.run(["create", "writer:app", "--require", "none", "--json"], {
    policy: "best-effort",
    writer: { in: "freeze", does: "throws" },
  });
  const { set, outcome } = ran.json() as TransactionResult;
  assert.equal(outcome, "created", ran.stdout + ran.stderr);
  assert.equal(ran.exitCode, 0);
  assert.equal(set?.consistency, "none");
  assert.equal(set?.writers[0]?.state, "left-out");
  assert.match(set?.components[0]?.reason ?? "", /the application said no/);
});

test("a freeze that was lost lowers the consistency, and the command says so with its exit code", async (t) => {
  const stage = new Scene(t);
  const slow = stage.run(["create", "writer:app", "--json"], {
    provider: { in: "commit", does: "late", delayMs: 800 },
  });
  while (!stage.calls("store").includes("commit")) await new Promise((resolve) => setTimeout(resolve, 10));
  // Somebody else thaws the application while it is captured.
  mkdirSync(stage.app, { recursive: true });
  writeFileSync(path.join(stage.app, "frozen"), "somebody else");
  const ran = await slow;
  const { set } = ran.json() as TransactionResult;
  assert.equal(ran.exitCode, 5, ran.stdout + ran.stderr);
  assert.equal(set?.consistency, "none");
  assert.match(set?.writers[0]?.reason ?? "", /did not last until thaw/); // E_FREEZE_LOST
});

test("delete without a terminal and without --yes says what it would do, and does nothing", async (t) => {
  const stage = new Scene(t);
  const { set } = (await stage.run(["create", "writer:app", "--json"])).json() as TransactionResult;
  const refused = await stage.run(["delete", set?.id ?? "", "--json"]);
  assert.equal((refused.json() as { error: Fault }).error.code, "E_NEEDS_YES");
  assert.equal(refused.exitCode, 2);
  assert.equal(stage.stored().length, 1);
  assert.equal((await stage.run(["delete", set?.id ?? "", "--yes"])).exitCode, 0);
  assert.deepEqual(stage.stored(), []);
});
