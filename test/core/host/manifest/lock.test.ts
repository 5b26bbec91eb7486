import assert from "node:assert/strict";
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { digestFolder } from "#core/host/manifest/digest.js";
import { lockOf, readLock, writeLock } from "#core/host/manifest/lock.js";
import { inspectPlugins, resolvePlugins } from "#core/host/manifest/resolve.js";
import { validate } from "#core/base/schema/validate.js";
import { bareHost, settingsWith, writePlugin } from "../../../support/fixture/plugin-folder.js";
import { tempDir } from "../../../support/storage/temp.js";

const hashFolder = async (dir: string): Promise<string> => (await digestFolder(dir)).content;

test("the hash of a folder changes with content, mode, name and links, and not with what tools leave behind", async (t) => {
  const dir = writePlugin(path.join(tempDir(t), "a"));
  const seen = new Set([await hashFolder(dir)]);
  const file = path.join(dir, "index.js");
  const changes = [
    () => appendFileSync(file, " "),
    () => chmodSync(file, 0o755),
    () => renameSync(file, path.join(dir, "main.js")),
    () => symlinkSync("main.js", path.join(dir, "link")),
    () => writeFileSync(path.join(dir, "empty"), ""),
  ];
  for (const change of changes) {
    change();
    const hash = await hashFolder(dir);
    assert.match(hash, /^sha256-[0-9a-f]{64}$/);
    assert.ok(!seen.has(hash), String(change));
    seen.add(hash);
  }
  const before = await hashFolder(dir);
  for (const name of ["node_modules/.cache/x/y", "dist/.tsbuildinfo"]) {
    mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
    writeFileSync(path.join(dir, name), "noise");
  }
  assert.equal(await hashFolder(dir), before);
});

test("the hash does not depend on where the folder lies", async (t) => {
  const dir = tempDir(t);
  const [a, b] = ["a", "deeper/b"].map((name) => writePlugin(path.join(dir, name)));
  assert.equal(await hashFolder(a ?? ""), await hashFolder(b ?? ""));
});

test("locked plugins resolve until their folder changes", async (t) => {
  const { settings, folder, file } = await locked(t);
  assert.ok(validate("lock", JSON.parse(readFileSync(file, "utf8")), file).ok);
  assert.deepEqual(
    readLock(file).plugins.map(({ name, version }) => [name, version]),
    [
      ["provider-reflink", "1.0.0"],
      ["writer-acme", "1.0.0"],
    ],
  );
  assert.equal((await resolvePlugins(settings, bareHost)).plugins.length, 3);
  appendFileSync(path.join(folder, "index.js"), "// tampered");
  await assert.rejects(resolvePlugins(settings, bareHost), {
    code: "E_PLUGIN_LOCKED",
    message: /: index\.js was changed\.$/,
  });
});

test("a plugin that the lock does not name is not used beside one that it names, and is refused without it", async (t) => {
  const { settings, dir, folder } = await locked(t);
  writePlugin(path.join(dir, "new"), { version: "1.1.0" });
  const versions = async (pins?: "ignored"): Promise<string[]> =>
    (await resolvePlugins(settings, bareHost, pins)).plugins
      .filter(({ who }) => who.plugin === "writer-acme")
      .map(({ who }) => who.version);
  assert.deepEqual([...new Set(await versions())], ["1.0.0"]);
  assert.deepEqual([...new Set(await versions("ignored"))], ["1.1.0"]);
  rmSync(folder, { recursive: true });
  await assert.rejects(versions(), { code: "E_PLUGIN_LOCKED", message: /does not list writer-acme 1\.1\.0/ });
});

test("a lock does not stop what comes with holdstill from changing with it, and what it does not name is not used instead", async (t) => {
  const { settings, dir, folder, file } = await locked(t);
  const host = { ...bareHost, bundled: dir };
  const names = async (): Promise<string[]> =>
    (await resolvePlugins(settings, host)).plugins.map(({ who }) => `${who.plugin} ${who.version}`);
  appendFileSync(path.join(folder, "index.js"), "// the next version of holdstill");
  writePlugin(folder, { version: "1.2.0" });
  const vendor = tempDir(t);
  writePlugin(path.join(vendor, "newer"), { version: "1.9.0" });
  settings.pluginPaths.push(vendor);
  assert.deepEqual([...new Set(await names())].toSorted(), ["provider-reflink 1.0.0", "writer-acme 1.2.0"]);
  const { plugins } = await resolvePlugins(settings, host);
  assert.deepEqual((await lockOf(plugins)).plugins, []);
  assert.equal(readLock(file).plugins.length, 2, "it was made when they were not bundled");
});

test("a broken lock file refuses, and a look still shows the plugins", async (t) => {
  const { settings, file } = await locked(t);
  for (const [text, code] of [
    ["{", "E_CONFIG_INVALID"],
    ['{"lockVersion": 9, "plugins": []}', "E_CONFIG_INVALID"],
  ] as const) {
    writeFileSync(file, text);
    await assert.rejects(resolvePlugins(settings, bareHost), { code });
    assert.equal((await inspectPlugins(settings, bareHost)).plugins.length, 3);
  }
  await assert.rejects(resolvePlugins({ ...settings, lockFile: `${file}.gone` }, bareHost), {
    code: "E_CONFIG_UNREADABLE",
  });
});

async function locked(t: TestContext) {
  const dir = tempDir(t);
  const folder = writePlugin(path.join(dir, "a"));
  writePlugin(path.join(dir, "p"), { name: "provider-reflink", kind: "provider", fallback: true });
  const open = settingsWith([dir], [{ name: "one" }, { name: "two" }]);
  const file = path.join(dir, "holdstill.lock.json");
  await writeLock(file, await lockOf((await resolvePlugins(open, bareHost)).plugins));
  return { dir, folder, file, settings: { ...open, lockFile: file } };
}
