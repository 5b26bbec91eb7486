import assert from "node:assert/strict";
import { appendFileSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import type { Fault, PluginLock } from "#core/base/schema/types.js";
import { type CliRun, holdstill } from "../support/process/command-line.js";
import { pluginsThat } from "../support/fixture/misbehaving-plugins.js";
import { Scene } from "../support/fixture/scene.js";

interface Shop {
  stage: Scene;
  plugins: string;
  lockFile: string;
  configFile: string;
  run: (...args: string[]) => Promise<CliRun>;
}

interface Manifest {
  version: string;
  options: { properties: Record<string, unknown> };
}

/** Copies of the fixtures that may be tampered with, and a config that uses them. */
function shop(t: TestContext): Shop {
  const stage = new Scene(t);
  const plugins = path.join(stage.dir, "plugins");
  cpSync(pluginsThat, plugins, { recursive: true });
  const config = stage.configFile();
  const text = JSON.parse(readFileSync(config, "utf8")) as object;
  writeFileSync(config, JSON.stringify({ ...text, pluginPaths: [plugins] }));
  return {
    stage,
    plugins,
    lockFile: path.join(stage.dir, "holdstill.lock.json"),
    configFile: config,
    run: (...args) => holdstill([...args, "--config", config]),
  };
}

test("pinned plugins run, and after tampering nothing does until the change is pinned", async (t) => {
  const { stage, plugins, lockFile, run } = shop(t);
  const unpinned = await run("plugins", "lock", "--check");
  assert.deepEqual([unpinned.exitCode, unpinned.stdout], [2, ""]);
  assert.match(
    unpinned.stderr,
    /The lock file .* does not exist, so no plugin is pinned\.\n→ Run `holdstill plugins lock` to write it\.\n$/,
  );

  const pinned = await run("plugins", "lock");
  assert.equal(pinned.exitCode, 0, pinned.stderr);
  assert.match(pinned.stdout, /^Pinned in .*holdstill\.lock\.json:\n {2}provider-that {2}1\.0\.0 {2}new {2}sha256-/);
  const lock = JSON.parse(readFileSync(lockFile, "utf8")) as PluginLock;
  assert.deepEqual(Object.keys(lock.plugins[1]?.files ?? {}), ["index.js", "plugin.json"]);
  assert.equal((await run("plugins", "lock", "--check")).exitCode, 0);
  assert.equal((await run("create", stage.app)).exitCode, 0);

  const writer = path.join(plugins, "writer-that");
  appendFileSync(path.join(writer, "index.js"), "// tampered\n");
  writeFileSync(path.join(writer, "extra.js"), "");
  for (const args of [
    ["create", stage.app],
    ["plugins", "lock", "--check"],
    ["recover", "--yes"],
  ]) {
    const refused = await run(...args);
    assert.equal(refused.exitCode, 2, args.join(" "));
    assert.match(
      refused.stderr,
      /writer-that 1\.0\.0 .*: extra\.js was added, index\.js was changed\.\n→ If the change/,
    );
  }
  const listed = await run("plugins", "list");
  assert.equal(listed.exitCode, 2);
  assert.match(
    listed.stdout,
    /refused +writer-that 1\.0\.0: its content differs from the lock file: extra\.js\s+was added/,
  );
  assert.match(listed.stdout, /taken +provider-that 1\.0\.0/);
  const why = await run("plugins", "why", "app");
  assert.match(why.stdout, /required\s+uses none/);
  const { error } = (await run("plugins", "lock", "--check", "--json")).json() as { error: Fault };
  assert.deepEqual(error.details?.["changes"], [
    { file: "extra.js", change: "added" },
    { file: "index.js", change: "changed" },
  ]);

  const again = await run("plugins", "lock");
  assert.match(again.stdout, /^ {2}writer-that {4}1\.0\.0 {2}changed {4}sha256-.*$/m);
  assert.match(again.stdout, /^ {2}writer-that 1\.0\.0: extra\.js was added$/m);
  assert.equal((await run("plan", stage.app)).exitCode, 0);
  rmSync(path.join(writer, "extra.js"));
  assert.match((await run("plan", stage.app)).stderr, /extra\.js was removed\./);
});

test("a newer version beside a pinned one is not used until it is asked for, and upgrade tells what it changes", async (t) => {
  const { stage, plugins, lockFile, configFile, run } = shop(t);
  assert.equal((await run("plugins", "lock")).exitCode, 0);
  const newer = path.join(plugins, "provider-that@1.1.0");
  cpSync(path.join(plugins, "provider-that"), newer, { recursive: true });
  const manifest = JSON.parse(readFileSync(path.join(newer, "plugin.json"), "utf8")) as Manifest;
  const { store: path_, ...others } = manifest.options.properties;
  const options = { ...manifest.options, required: ["folder"], properties: { ...others, folder: path_ } };
  writeFileSync(path.join(newer, "plugin.json"), JSON.stringify({ ...manifest, version: "1.1.0", options }));

  assert.equal((await run("create", stage.app)).exitCode, 0);
  assert.equal((await run("plugins", "lock", "--check")).exitCode, 0);
  const listed = await run("plugins", "list");
  assert.match(listed.stdout, /taken +provider-that 1\.0\.0: the highest pinned version in the range \*/);
  assert.match(
    listed.stdout,
    /unpinned +provider-that 1\.1\.0: the lock file has 1\.0\.0; `holdstill plugins\s+upgrade`/,
  );

  const before = readFileSync(lockFile, "utf8");
  const dry = await run("plugins", "upgrade", "--dry-run");
  assert.equal(dry.exitCode, 2, dry.stderr);
  assert.match(dry.stdout, /provider-that {2}1\.0\.0 → 1\.1\.0 {2}new options: folder; without options: store$/m);
  assert.match(dry.stdout, /writer-that {4}1\.0\.0 +as before$/m);
  assert.match(dry.stderr, /\/plugins\/1\/options/);
  const refused = await run("plugins", "upgrade");
  assert.equal(refused.exitCode, 2);
  assert.equal(readFileSync(lockFile, "utf8"), before);

  writeFileSync(path.join(newer, "plugin.json"), JSON.stringify({ ...manifest, version: "1.1.0" }));
  const upgraded = await run("plugins", "upgrade");
  assert.equal(upgraded.exitCode, 0, upgraded.stderr);
  assert.match((await run("plugins", "list")).stdout, /taken +provider-that 1\.1\.0: the highest pinned version/);

  const config = readFileSync(configFile, "utf8");
  writeFileSync(configFile, config.replace('"provider-that"', '"provider-that@1.0.0"'));
  assert.match((await run("plugins", "upgrade", "--dry-run")).stdout, /provider-that {2}1\.1\.0 → 1\.0\.0/);
  writeFileSync(configFile, config);

  rmSync(newer, { recursive: true });
  const back = await run("plan", stage.app);
  assert.equal(back.exitCode, 2);
  assert.match(back.stderr, /The lock file does not list provider-that 1\.0\.0\./);
  assert.equal((await run("plugins", "lock")).exitCode, 0);
  assert.equal((await run("plan", stage.app)).exitCode, 0);
});

test("what is refused is not pinned, and a lock file that is broken is written anew", async (t) => {
  const { plugins, lockFile, run } = shop(t);
  writeFileSync(lockFile, "{");
  assert.equal((await run("plugins", "lock", "--check")).exitCode, 2);
  assert.equal((await run("plugins", "lock")).exitCode, 0);
  rmSync(lockFile);
  rmSync(path.join(plugins, "provider-that"), { recursive: true });
  const refused = await run("plugins", "lock");
  assert.equal(refused.exitCode, 2);
  assert.match(refused.stderr, /No plugin matches `use: provider-that`/);
  assert.equal(existsSync(lockFile), false);
});

test("without a config there is nowhere to lock", async (t) => {
  const { dir } = new Scene(t);
  const env = { HOME: dir, XDG_CONFIG_HOME: dir, HOLDSTILL_STATE_DIR: path.join(dir, "state") };
  const { exitCode, stdout } = await holdstill(["plugins", "lock", "--json"], { env });
  assert.equal(exitCode, 2);
  assert.equal((JSON.parse(stdout) as { error: Fault }).error.code, "E_PLUGIN_UNPINNED");
});

test("why names the line of the config that asks, and what each candidate needs", async (t) => {
  const { run, plugins } = shop(t);
  const { stdout, exitCode } = await run("plugins", "why", "app");
  assert.equal(exitCode, 0);
  assert.match(stdout, /^Asked for by\n {2}app {2}.*config-1\.json:1 {2}use: writer-that, required\s+uses 1\.0\.0$/m);
  assert.match(stdout, /^ {2}taken {2}writer-that 1\.0\.0: the highest version in the range \*$/m);
  assert.match(stdout, /^ {4}contract {3}supports 1; this host supports 1; 1 is used$/m);
  assert.ok(stdout.includes(`Searched, in this order\n  ${plugins}\n`), stdout);
  const unknown = await run("plugins", "why", "writer-taht");
  assert.equal(unknown.exitCode, 2);
  assert.match(unknown.stderr, /Did you mean `writer-that`\?/);
});
