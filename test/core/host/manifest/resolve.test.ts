import assert from "node:assert/strict";
import { rmSync, symlinkSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { resolvePlugins } from "#core/host/manifest/resolve.js";
import { bareHost, settingsWith, writePlugin, writeProgram } from "../../../support/fixture/plugin-folder.js";
import { refusalOf } from "../../../support/process/refusal.js";
import { tempDir } from "../../../support/storage/temp.js";

const provider = { name: "provider-reflink", kind: "provider", fallback: true };

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
    [
      "1.20.0",
      "refused",
      "too new: it needs holdstill >=2.0.0, and this is 0.1.0; update holdstill, or install an older version of the plugin",
    ],
    [
      "1.21.0",
      "refused",
      "too new: it supports contract 7, and this host 1; update holdstill, or install an older version of the plugin",
    ],
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
      {
        name: "one",
        freezeMs: 5000,
        isolation: "process",
        policy: "best-effort",
        environment: ["HTTPS_PROXY", "ACME"],
        options: { host: "h" },
      },
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
    origin: "installed",
    entry: path.join(folder, "index.js"),
    policy: "best-effort",
    options: { host: "h", port: 7 },
    secrets: [],
    runtime: "node",
    isolation: "process",
    memoryMb: 64,
    freezeMs: 5000,
    commands: ["acme_ctl"],
    programs: "by-name",
    environment: ["ACME", "HTTPS_PROXY"],
    protocol: 1,
  });
  assert.deepEqual([two?.freezeMs, two?.isolation, two?.policy], [20_000, "thread", "required"]);
  assert.deepEqual([reflink?.freezeMs, reflink?.isolation, reflink?.memoryMb], [null, "process", 128]);
  assert.equal(candidates.get("out")?.[0]?.verdict, "taken");
});

test("the fallback is used only if the config has no provider, and it is the first on the plugin paths", async (t) => {
  const dir = tempDir(t);
  writePlugin(path.join(dir, "p"), provider);
  writePlugin(path.join(dir, "q"), { name: "provider-acme", kind: "provider" });
  const named = settingsWith([dir], [{ use: { name: "provider-acme", range: "*" } }]);
  const names = async (settings: typeof named) =>
    (await resolvePlugins(settings, bareHost)).plugins.map(({ who }) => who.plugin);
  assert.deepEqual(await names(named), ["provider-acme"]);
  assert.deepEqual(await names(settingsWith([], [])), [], "nothing is installed");
  assert.deepEqual(await names(settingsWith([dir], [])), ["provider-reflink"]);
  const vendor = path.join(tempDir(t), "vendor");
  writePlugin(vendor, { name: "provider-vendor", kind: "provider", fallback: true });
  assert.deepEqual(await names(settingsWith([vendor, dir], [])), ["provider-vendor"]);
  rmSync(path.join(vendor, "index.js"));
  const broken = await refusalOf(names(settingsWith([vendor, dir], [])));
  assert.equal(broken.code, "E_MANIFEST_INVALID", "a broken one is not passed over");
  const bundled = await resolvePlugins(settingsWith([], []), { ...bareHost, bundled: dir });
  assert.deepEqual(
    bundled.plugins.map(({ who }) => who.plugin),
    ["provider-reflink"],
  );
});

test("a plugin that one instance takes and another passes over is taken", async (t) => {
  const dir = tempDir(t);
  for (const version of ["1.0.0", "2.0.0"]) writePlugin(path.join(dir, version), { version });
  writePlugin(path.join(dir, "p"), provider);
  const uses = ["^2", "^1"].map((range) => ({ name: range, use: { name: "writer-acme", range } }));
  const { found } = await resolvePlugins(settingsWith([dir], uses), bareHost);
  assert.deepEqual(
    found.map(({ verdict }) => verdict),
    ["taken", "taken", "taken"],
  );
});

test("a plugin path may be a plugin folder itself, also by way of a link", async (t) => {
  const dir = tempDir(t);
  const folder = writePlugin(path.join(dir, "a"));
  symlinkSync(folder, path.join(dir, "current"));
  const paths = [path.join(dir, "current"), writePlugin(path.join(dir, "p"), provider)];
  assert.equal((await resolvePlugins(settingsWith(paths, [{}]), bareHost)).plugins[0]?.dir, folder);
});

test("one folder that two paths lead to is one plugin", async (t) => {
  const dir = tempDir(t);
  const folder = writePlugin(path.join(dir, "a"));
  writePlugin(path.join(dir, "p"), provider);
  const { found } = await resolvePlugins(settingsWith([dir, folder], [{}]), bareHost);
  assert.equal(found.length, 2);
});
