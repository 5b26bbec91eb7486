import assert from "node:assert/strict";
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { loadSettings } from "#core/base/config/load.js";
import type { Settings } from "#core/base/config/settings.js";
import type { Details } from "#core/base/errors/details.js";
import type { HoldstillError } from "#core/base/errors/error.js";
import { inspectPlugins, resolvePlugins } from "#core/host/manifest/resolve.js";
import { bareHost, settingsWith, writePlugin, writeProgram } from "../../../support/fixture/plugin-folder.js";
import { refusalOf } from "../../../support/process/refusal.js";
import { tempDir } from "../../../support/storage/temp.js";

const provider = { name: "provider-reflink", kind: "provider", fallback: true };

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
  const reason = `the same version is in ${twins.join(" and ")}: remove one of them`;
  assert.deepEqual(
    candidates.map((candidate) => [candidate.verdict, candidate.reason]),
    [
      ["refused", reason],
      ["refused", reason],
      ["older", "1.1.0 is newer, though it is refused"],
    ],
  );
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

test("a version of the fallback that others may write to is refused also if only an older one says that it is the fallback", async (t) => {
  const dir = tempDir(t);
  writePlugin(path.join(dir, "app"));
  writePlugin(path.join(dir, "old"), { ...provider, version: "1.0.0" });
  const folder = writePlugin(path.join(dir, "new"), { name: provider.name, kind: "provider", version: "1.1.0" });
  chmodSync(path.join(folder, "index.js"), 0o666);
  assert.equal((await refusal(settingsWith([dir], [{}]))).code, "E_PLUGIN_UNTRUSTED");
});

test("a plugin that is not asked for stops nothing, even if others may write to it", async (t) => {
  const dir = tempDir(t);
  writePlugin(path.join(dir, "app"));
  writePlugin(path.join(dir, "fallback"), provider);
  const folder = writePlugin(path.join(dir, "other"), { name: "writer-other" });
  chmodSync(path.join(folder, "index.js"), 0o666);
  const { plugins } = await resolvePlugins(settingsWith([dir], [{}]), bareHost);
  assert.deepEqual(
    plugins.map(({ who }) => who.plugin),
    ["writer-acme", provider.name],
  );
});

test("a sole candidate with a broken manifest is refused with the manifest's faults", async (t) => {
  const dir = tempDir(t);
  const folder = writePlugin(path.join(dir, "writer-acme@1.0.0"));
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
  rmSync(path.join(bin, "acme_ctl"));
  mkdirSync(path.join(bin, "acme_ctl"));
  assert.equal((await refusal(settingsWith([dir], [{}]), host)).code, "E_EXEC_MISSING");
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
  writePlugin(path.join(dir, "wide"), { name: "writer-wide", engines: { holdstill: "all of them" } });
  mkdirSync(path.join(dir, "empty"));
  const settings = settingsWith(
    [dir, path.join(dir, "nowhere")],
    [{}, { name: "none", use: { name: "x", range: "*" } }],
  );
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
      ["writer-wide", "1.0.0", "refused"],
    ],
  );
  assert.match(found[4]?.reason ?? "", /is the plugin built\?/);
  assert.match(found[6]?.reason ?? "", /a range of versions/);
  assert.match(found[2]?.reason ?? "", /JSON Schema/);
  assert.match(warnings.join(), /nowhere cannot be searched: ENOENT/);
  assert.deepEqual(
    problems.map(({ code }) => code),
    ["E_PLUGIN_UNRESOLVED"],
  );
});

async function refusal(settings: Settings, host = bareHost): Promise<HoldstillError> {
  return refusalOf(resolvePlugins(settings, host));
}
