import assert from "node:assert/strict";
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { loadSettings } from "#core/config/load.js";
import type { Details } from "#core/errors/details.js";
import { isHoldstillError, type HoldstillError } from "#core/errors/error.js";
import { inspectPlugins, resolvePlugins } from "#core/manifest/resolve.js";
import { bareHost, settingsWith, writePlugin } from "../rig/plugin.js";
import { tempDir } from "../rig/temp.js";

const provider = { name: "provider-reflink", kind: "provider" };

test("an instance gets the highest version in its range, and every candidate says why it was or was not taken", async (t) => {
  const dir = tempDir(t);
  for (const version of ["1.0.0", "1.2.0", "1.10.0", "2.0.0", "1.11.0-rc.1"]) {
    writePlugin(path.join(dir, `writer-acme@${version}`), { version });
  }
  writePlugin(path.join(dir, "later"), { version: "1.20.0", engines: { holdstill: ">=2.0.0" } });
  writePlugin(path.join(dir, "other"), { version: "1.21.0", protocol: [7] });
  writePlugin(path.join(dir, "bad"), { version: "1.22.0", kind: "wrighter" });
  writePlugin(path.join(dir, "p"), provider);
  const settings = settingsWith([dir], [{ use: { name: "writer-acme", range: "^1" } }]);
  const { plugins, candidates } = await resolvePlugins(settings, bareHost);
  assert.deepEqual(
    plugins.map(({ who }) => who),
    [
      { role: "writer", instance: "writer-acme", plugin: "writer-acme", version: "1.10.0" },
      { role: "provider", instance: "provider-reflink", plugin: "provider-reflink", version: "1.0.0" },
    ],
  );
  const reasons = candidates.get("writer-acme")?.map(({ version, verdict, reason }) => [version, verdict, reason]);
  assert.deepEqual(reasons, [
    ["1.22.0", "refused", 'its manifest is invalid: at "/kind" "wrighter", expected one of "writer", "provider"'],
    ["1.20.0", "refused", "needs holdstill >=2.0.0; this is 0.1.0"],
    ["1.21.0", "refused", "speaks contract 7; this host speaks 1"],
    ["1.0.0", "older", "1.10.0 is newer"],
    ["1.10.0", "taken", "the highest version in the range ^1"],
    ["1.11.0-rc.1", "refused", "not in the range ^1"],
    ["1.2.0", "older", "1.10.0 is newer"],
    ["2.0.0", "refused", "not in the range ^1"],
  ]);
});

test("a prerelease is taken when the range names one", async (t) => {
  const dir = tempDir(t);
  writePlugin(path.join(dir, "a"), { version: "1.11.0-rc.1" });
  writePlugin(path.join(dir, "p"), provider);
  const settings = settingsWith([dir], [{ use: { name: "writer-acme", range: "^1.11.0-rc.0" } }]);
  assert.equal((await resolvePlugins(settings, bareHost)).plugins[0]?.who.version, "1.11.0-rc.1");
});

test("a prerelease of the host runs what its release will run", async (t) => {
  const dir = tempDir(t);
  writePlugin(path.join(dir, "a"));
  writePlugin(path.join(dir, "p"), provider);
  const host = { ...bareHost, version: "0.2.0-beta.1" };
  assert.equal((await resolvePlugins(settingsWith([dir], [{}]), host)).plugins.length, 2);
});

test("a resolved plugin carries what the config and the manifest say together", async (t) => {
  const dir = tempDir(t);
  const options = { type: "object", properties: { port: { type: "integer", default: 7 }, host: { type: "string" } } };
  const requires = { commands: ["acme_ctl"], environment: ["ACME"] };
  const folder = writePlugin(path.join(dir, "a"), { options, requires, limits: { memoryMb: 64, freezeSeconds: 20 } });
  writePlugin(path.join(dir, "p"), { ...provider, isolation: "process" });
  const bin = path.join(dir, "bin");
  writeProgram(bin, "acme_ctl");
  const settings = settingsWith(
    [dir],
    [
      { name: "one", freezeMs: 5000, isolation: "process", policy: "best-effort", options: { host: "h" } },
      { name: "two", freezeMs: 50_000 },
      { name: "out", policy: "excluded" },
    ],
  );
  const { plugins, candidates } = await resolvePlugins(settings, { ...bareHost, path: [bin] });
  assert.equal(plugins.length, 3);
  const [one, two, reflink] = plugins;
  const { manifest, ...rest } = one ?? assert.fail("nothing was resolved");
  assert.equal(manifest.name, "writer-acme");
  assert.deepEqual(rest, {
    who: { role: "writer", instance: "one", plugin: "writer-acme", version: "1.0.0" },
    dir: folder,
    entry: path.join(folder, "index.js"),
    policy: "best-effort",
    options: { host: "h", port: 7 },
    isolation: "process",
    memoryMb: 64,
    freezeMs: 5000,
    commands: ["acme_ctl"],
    environment: ["ACME"],
    protocol: 1,
  });
  assert.deepEqual([two?.freezeMs, two?.isolation, two?.policy], [20_000, "thread", "required"]);
  assert.deepEqual([reflink?.freezeMs, reflink?.isolation, reflink?.memoryMb], [null, "process", 128]);
  assert.equal(candidates.get("out")?.[0]?.verdict, "taken");
});

test("the embedded provider comes in only where the config has none", async (t) => {
  const dir = tempDir(t);
  writePlugin(path.join(dir, "p"), provider);
  writePlugin(path.join(dir, "q"), { name: "provider-acme", kind: "provider" });
  const named = settingsWith([dir], [{ use: { name: "provider-acme", range: "*" } }]);
  const names = async (settings: typeof named) =>
    (await resolvePlugins(settings, bareHost)).plugins.map(({ who }) => who.plugin);
  assert.deepEqual(await names(named), ["provider-acme"]);
  assert.deepEqual(
    await names(settingsWith([], [])).catch((error: HoldstillError) => error.code),
    "E_PLUGIN_UNRESOLVED",
  );
  const bundled = await resolvePlugins(settingsWith([], []), { ...bareHost, bundled: dir });
  assert.deepEqual(
    bundled.plugins.map(({ who }) => who.plugin),
    ["provider-reflink"],
  );
});

test("a plugin that is not there is refused with the nearest name", async (t) => {
  const dir = tempDir(t);
  writePlugin(path.join(dir, "a"), { name: "writer-postgres" });
  const error = await refusal(settingsWith([dir], [{ use: { name: "writer-postgers", range: "^1" } }]));
  assert.equal(error.code, "E_PLUGIN_UNRESOLVED");
  assert.match(error.message, /`use: writer-postgers@\^1`.*Did you mean `writer-postgres`\?/);
});

test("the same version in two folders is refused with both named, and no older one slips in", async (t) => {
  const dir = tempDir(t);
  const twins = ["a", "b"].map((name) => writePlugin(path.join(dir, name), { version: "1.1.0" }));
  writePlugin(path.join(dir, "c"), { version: "1.0.0" });
  const error = await refusal(settingsWith([dir], [{}]));
  assert.equal(error.code, "E_PLUGIN_UNRESOLVED");
  const { candidates } = error.details as Details["E_PLUGIN_UNRESOLVED"];
  const reason = `the same version lies in ${twins.join(" and ")}`;
  assert.deepEqual(
    candidates.map((candidate) => [candidate.verdict, candidate.reason]),
    [
      ["refused", reason],
      ["refused", reason],
      ["older", "1.1.0 is newer, though it is refused"],
    ],
  );
});

test("one folder that two paths lead to is one plugin", async (t) => {
  const dir = tempDir(t);
  const folder = writePlugin(path.join(dir, "a"));
  writePlugin(path.join(dir, "p"), provider);
  const { found } = await resolvePlugins(settingsWith([dir, folder], [{}]), bareHost);
  assert.equal(found.length, 2);
});

test("a plugin that others may write to is not loaded, nor an older one in its place", async (t) => {
  const dir = tempDir(t);
  writePlugin(path.join(dir, "old"), { version: "1.0.0" });
  const folder = writePlugin(path.join(dir, "new"), { version: "1.1.0" });
  chmodSync(path.join(folder, "index.js"), 0o666);
  const error = await refusal(settingsWith([dir], [{}]));
  assert.equal(error.code, "E_PLUGIN_UNTRUSTED");
  assert.match(error.hint, /chmod go-w .*new\/index\.js/);
});

test("a sole candidate with a broken manifest is refused with the manifest's faults", async (t) => {
  const dir = tempDir(t);
  const folder = writePlugin(path.join(dir, "writer-acme"));
  writeFileSync(path.join(folder, "plugin.json"), "{");
  assert.equal((await refusal(settingsWith([dir], [{}]))).code, "E_MANIFEST_INVALID");
});

test("option faults are reported at their place in the config, with the policy of a provider and a range that is none", async (t) => {
  const dir = tempDir(t);
  const port = { type: "object", additionalProperties: false, properties: { port: { type: "integer" } } };
  writePlugin(path.join(dir, "plugins/a"), { options: port });
  writePlugin(path.join(dir, "plugins/p"), provider);
  const file = path.join(dir, "holdstill.yaml");
  writeFileSync(
    file,
    `pluginPaths: [plugins]
plugins:
  - use: writer-acme
    options:
      port: high
      prot: 1
  - use: provider-reflink
    policy: best-effort
  - { use: writer-acme@not.a.range, as: b }
`,
  );
  const error = await refusal(await loadSettings({ cwd: dir, env: {}, file }));
  assert.equal(error.code, "E_CONFIG_INVALID");
  const { findings } = error.details as Details["E_CONFIG_INVALID"];
  assert.deepEqual(
    findings.map(({ line, pointer, nearest }) => [line, pointer, nearest]),
    [
      [6, "/plugins/0/options/prot", "port"],
      [5, "/plugins/0/options/port", undefined],
      [8, "/plugins/1/policy", undefined],
      [9, "/plugins/2/use", undefined],
    ],
  );
  assert.ok(findings.every((finding) => finding.file === file));
});

test("options for a plugin that has none are a mistake", async (t) => {
  const dir = tempDir(t);
  writePlugin(path.join(dir, "a"));
  assert.equal((await refusal(settingsWith([dir], [{ options: { x: 1 } }]))).code, "E_CONFIG_INVALID");
});

test("a program that a plugin needs must be on the path, and a plain file is none", async (t) => {
  const dir = tempDir(t);
  writePlugin(path.join(dir, "a"), { requires: { commands: ["acme_ctl"] } });
  writePlugin(path.join(dir, "p"), provider);
  const bin = path.join(dir, "bin");
  const host = { ...bareHost, path: ["/nowhere", bin] };
  writeProgram(bin, "acme_ctl");
  assert.equal((await resolvePlugins(settingsWith([dir], [{}]), host)).plugins.length, 2);
  chmodSync(path.join(bin, "acme_ctl"), 0o644);
  const error = await refusal(settingsWith([dir], [{}]), host);
  assert.equal(error.code, "E_EXEC_MISSING");
  assert.equal((error.details as Details["E_EXEC_MISSING"]).command, "acme_ctl");
});

test("all problems of all instances come at once", async (t) => {
  const dir = tempDir(t);
  writePlugin(path.join(dir, "a"), { requires: { commands: ["acme_ctl"] } });
  const error = await refusal(
    settingsWith([dir], [{ options: { x: 1 } }, { name: "b" }, { use: { name: "writer-none", range: "*" } }]),
  );
  assert.equal(error.code, "E_PLUGINS_REFUSED");
  const { problems } = error.details as Details["E_PLUGINS_REFUSED"];
  assert.deepEqual(
    problems.map(({ code }) => code),
    ["E_CONFIG_INVALID", "E_EXEC_MISSING", "E_EXEC_MISSING", "E_PLUGIN_UNRESOLVED"],
  );
  assert.ok(problems[0]?.details?.findings, "the findings are kept");
  for (const { message } of problems) assert.ok(error.hint.includes(message), message);
});

test("a look at the plugins shows all of them, whatever is wrong with one or the other", async (t) => {
  const dir = tempDir(t);
  writePlugin(path.join(dir, "good"));
  writePlugin(path.join(dir, "idle"), { name: "writer-idle" });
  writeFileSync(path.join(writePlugin(path.join(dir, "torn")), "plugin.json"), "{");
  rmSync(path.join(writePlugin(path.join(dir, "unbuilt"), { name: "writer-unbuilt" }), "index.js"));
  writePlugin(path.join(dir, "vague"), { name: "writer-vague", version: "1" });
  writePlugin(path.join(dir, "odd"), { name: "writer-odd", options: { type: "objet" } });
  mkdirSync(path.join(dir, "empty"));
  const settings = settingsWith([dir, path.join(dir, "nowhere")], [{}]);
  const { found, warnings, problems } = await inspectPlugins(settings, bareHost);
  assert.deepEqual(
    found.map(({ name, version, verdict }) => [name, version, verdict]),
    [
      ["writer-acme", "1.0.0", "taken"],
      ["writer-idle", "1.0.0", "unused"],
      ["writer-odd", "1.0.0", "refused"],
      ["torn", "?", "refused"],
      ["writer-unbuilt", "1.0.0", "refused"],
      ["writer-vague", "1", "refused"],
    ],
  );
  assert.match(found[4]?.reason ?? "", /is the plugin built\?/);
  assert.match(found[2]?.reason ?? "", /JSON Schema/);
  assert.match(warnings.join(), /nowhere cannot be searched: ENOENT/);
  assert.deepEqual(
    problems.map(({ code }) => code),
    ["E_PLUGIN_UNRESOLVED"],
  );
});

function writeProgram(bin: string, name: string): void {
  mkdirSync(bin, { recursive: true });
  writeFileSync(path.join(bin, name), "#!/bin/sh\n", { mode: 0o755 });
}

async function refusal(settings: Parameters<typeof resolvePlugins>[0], host = bareHost): Promise<HoldstillError> {
  const error: unknown = await resolvePlugins(settings, host).then(
    () => undefined,
    (caught: unknown) => caught,
  );
  assert.ok(isHoldstillError(error), `refused with ${String(error)}`);
  return error;
}
