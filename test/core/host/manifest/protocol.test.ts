/** What becomes of a plugin when the host's contract moves on. */
import assert from "node:assert/strict";
import path from "node:path";
import test from "node:test";
import { resolvePlugins } from "#core/host/manifest/resolve.js";
import { explainPlugin } from "#core/host/manifest/why.js";
import { bareHost, settingsWith, writePlugin, writeProgram } from "../../../support/fixture/plugin-folder.js";
import { refusalOf } from "../../../support/process/refusal.js";
import { tempDir } from "../../../support/storage/temp.js";

const provider = { name: "provider-reflink", kind: "provider", fallback: true };
const bilingual = { ...bareHost, protocols: [1, 2] };

test("a plugin of the old contract runs under a host that still speaks it, and a warning says that it must move on", async (t) => {
  const dir = tempDir(t);
  writePlugin(path.join(dir, "a"));
  writePlugin(path.join(dir, "p"), { ...provider, protocol: [1, 2] });
  const { plugins, warnings } = await resolvePlugins(settingsWith([dir], [{ name: "a" }, { name: "b" }]), bilingual);
  assert.deepEqual(
    plugins.map(({ who, protocol }) => [who.instance, protocol]),
    [
      ["a", 1],
      ["b", 1],
      ["provider-reflink", 2],
    ],
  );
  assert.deepEqual(warnings, [
    "writer-acme 1.0.0 uses contract 1, and the current one is 2: update the plugin before a later holdstill drops 1",
  ]);
  assert.deepEqual((await resolvePlugins(settingsWith([dir], [{}]), bareHost)).warnings, []);
});

test("a property of a later version in a manifest is ignored with a warning, and a value of one is not", async (t) => {
  const dir = tempDir(t);
  const folder = writePlugin(path.join(dir, "a"), { tomorrow: ["new"], isolaton: "process" });
  writePlugin(path.join(dir, "p"), provider);
  const { plugins, warnings } = await resolvePlugins(settingsWith([dir], [{}]), bareHost);
  assert.equal(plugins.length, 2);
  assert.deepEqual(
    warnings.map((warning) => warning.replace(/^.*plugin\.json:\d+ /, "")),
    [
      "/tomorrow: this version of holdstill ignores the property.",
      "/isolaton: this version of holdstill ignores the property. Did you mean `isolation`?",
    ],
  );
  writePlugin(folder, { isolation: "container" });
  assert.equal((await refusalOf(resolvePlugins(settingsWith([dir], [{}]), bareHost))).code, "E_MANIFEST_INVALID");
});

const misfits: { what: string; changes: object; protocols: number[]; says: RegExp }[] = [
  {
    what: "a contract that the host does not know yet",
    changes: { protocol: [3] },
    protocols: [1, 2],
    says: /^too new: it supports contract 3, and this host 1, 2; update holdstill/,
  },
  {
    what: "a contract that the host knows no more",
    changes: { protocol: [1] },
    protocols: [2, 3],
    says: /^too old: it supports contract 1, and this host 2, 3; install a newer version of the plugin$/,
  },
  {
    what: "a later holdstill",
    changes: { engines: { holdstill: ">=3.0.0" } },
    protocols: [1],
    says: /^too new: it needs holdstill >=3\.0\.0, and this is 0\.1\.0; update holdstill/,
  },
  {
    what: "an earlier holdstill",
    changes: { engines: { holdstill: "<0.1.0" } },
    protocols: [1],
    says: /^too old: it needs holdstill <0\.1\.0, and this is 0\.1\.0; install a newer version of the plugin$/,
  },
];

for (const { what, changes, protocols, says } of misfits) {
  test(`a plugin for ${what} is refused, and the reason says which of the two is to be updated`, async (t) => {
    const dir = tempDir(t);
    writePlugin(path.join(dir, "a"), { ...changes });
    writePlugin(path.join(dir, "p"), { ...provider, protocol: protocols });
    const error = await refusalOf(resolvePlugins(settingsWith([dir], [{}]), { ...bareHost, protocols }));
    assert.equal(error.code, "E_PLUGIN_UNRESOLVED");
    const { candidates } = error.details as { candidates: { reason: string }[] };
    assert.match(candidates[0]?.reason ?? "", says);
  });
}

test("why tells who asks, every candidate, its programs, and who else could change it", async (t) => {
  const dir = tempDir(t);
  const requires = { commands: ["acme_ctl", "acme_dump"], environment: ["ACME_HOME"] };
  for (const version of ["1.0.0", "1.1.0"]) writePlugin(path.join(dir, version), { version, requires });
  writePlugin(path.join(dir, "bad"), { version: "2.0.0", kind: "wrighter" });
  writePlugin(path.join(dir, "p"), provider);
  writeProgram(path.join(dir, "bin"), "acme_ctl");
  const settings = settingsWith([dir], [{ name: "shop", use: { name: "writer-acme", range: "^1" } }]);
  const host = { ...bareHost, path: [path.join(dir, "bin")] };
  for (const name of ["shop", "writer-acme"]) {
    const { asked, candidates, problems } = await explainPlugin(name, settings, host);
    assert.deepEqual(
      asked.map(({ instance, taken, place: at }) => [instance, taken?.version, at?.pointer]),
      [["shop", "1.1.0", "/plugins/0"]],
    );
    assert.deepEqual(
      candidates.map(({ version, verdict, needs }) => [version, verdict, needs?.commands]),
      [
        ["1.0.0", "older", programs(dir)],
        ["1.1.0", "taken", programs(dir)],
        ["2.0.0", "refused", undefined],
      ],
    );
    assert.deepEqual(
      problems.map(({ message }) => /`acme_\w+`/.exec(message)?.[0]),
      ["`acme_dump`"],
    );
  }
  assert.match(
    (await refusalOf(explainPlugin("writer-acmee", settings, host))).message,
    /Did you mean `writer-acme`\?/,
  );
});

function programs(dir: string): object[] {
  return [
    { name: "acme_ctl", path: path.join(dir, "bin/acme_ctl") },
    { name: "acme_dump", path: null },
  ];
}
