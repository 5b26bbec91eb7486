/** Hooks as people have them, unchanged, through the command line: real programs, a real application. */
import assert from "node:assert/strict";
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import type { TransactionResult } from "#core/engine/types.js";
import { HookedApp } from "../support/fixture/hooked-app.js";

/** The two files of the snapshot, which are alike if it was made while the application was frozen. */
async function pictured(app: HookedApp, options: object): Promise<{ lines: number; alike: boolean }> {
  const exposed = await app.run(["expose", "latest", "--quiet"], options);
  const [a, b] = ["a", "b"].map((name) => readFileSync(path.join(exposed.stdout.trim(), name), "utf8"));
  await app.run(["unexpose", "latest"], options);
  return { lines: b?.split("\n").length ?? 0, alike: a === b };
}

/** Nothing is owed, and the application runs. */
async function isThawed(app: HookedApp): Promise<void> {
  assert.equal(app.holderPid(), undefined);
  assert.ok(await app.runs());
  const owed = path.join(app.dir, "state/plugins/app/owed");
  assert.deepEqual(existsSync(owed) ? readdirSync(owed) : [], []);
}

async function started(t: TestContext): Promise<HookedApp> {
  const app = new HookedApp(t);
  assert.ok(await app.runs());
  return app;
}

test("QEMU's fsfreeze-hook.d: the hooks hold the application, and what tools have left there is passed over", async (t) => {
  const app = await started(t);
  app.hook("10-lock");
  app.hook("20-note", { freeze: ":", thaw: ":" });
  app.hook("10-lock.bak");
  app.hook("10-lock.dpkg-old");
  chmodSync(app.hook("30-switched-off"), 0o644);
  const options = { qemu: app.hooks };
  const planned = await app.run(["plan", "writer:app"], options);
  assert.equal(planned.exitCode, 0, planned.stderr);
  assert.deepEqual(app.calls(), []);
  const made = await app.run(["create", "writer:app", "--require", "application"], options);
  assert.equal(made.exitCode, 0, made.stderr);
  assert.deepEqual(app.calls(), ["10-lock freeze", "20-note freeze", "10-lock thaw", "20-note thaw"]);
  await isThawed(app);
  const { lines, alike } = await pictured(app, options);
  assert.ok(alike && lines > 1, `${lines} lines`);
});

test("VMware's backupScripts.d: frozen in order, thawed in reverse, and told of a freeze that failed", async (t) => {
  const app = await started(t);
  app.hook("1-lock");
  app.hook("2-note", { freeze: ":", thaw: ":" });
  const options = { vmware: app.hooks };
  assert.equal((await app.run(["create", "writer:app"], options)).exitCode, 0);
  assert.deepEqual(app.calls(), ["1-lock freeze", "2-note freeze", "2-note thaw", "1-lock thaw"]);
  assert.ok((await pictured(app, options)).alike);
  app.hook("3-broken", { freeze: "echo no space >&2; exit 7", thaw: ":" });
  app.hook("4-never", { freeze: ":", thaw: ":" });
  const failed = await app.run(["create", "writer:app"], options);
  assert.equal(failed.exitCode, 4);
  assert.match(failed.stderr, /3-broken freeze exited with 7: no space/);
  assert.deepEqual(app.calls().slice(4), [
    "1-lock freeze",
    "2-note freeze",
    "3-broken freeze",
    "3-broken freezeFail",
    "2-note freezeFail",
    "1-lock freezeFail",
  ]);
  await isThawed(app);
});

test("Azure's pre- and post-script: parameters, retries, and an exit code that is a warning", async (t) => {
  const app = await started(t);
  const again = `if ! [ -e ${app.dir}/once ]; then touch ${app.dir}/once; exit 1; fi; ${app.takeLock()}; exit 2`;
  const pre = app.hook("pre.sh", { freeze: again });
  const post = app.hook("post.sh");
  const azure = path.join(app.dir, "VMSnapshotScriptPluginConfig.json");
  const config = {
    pluginName: "ScriptRunner",
    preScriptLocation: pre,
    postScriptLocation: post,
    preScriptParams: ["freeze", "a b"],
    postScriptParams: ["thaw", ""],
    preScriptNoOfRetries: 1,
    postScriptNoOfRetries: 0,
    timeoutInSeconds: 30,
    continueBackupOnFailure: true,
    fsFreezeEnabled: true,
  };
  writeFileSync(azure, JSON.stringify(config), { mode: 0o600 });
  const made = await app.run(["create", "writer:app", "--require", "application"], { azure });
  assert.equal(made.exitCode, 0, made.stderr);
  assert.deepEqual(app.calls(), ["pre.sh freeze a b", "pre.sh freeze a b", "post.sh thaw "]);
  assert.ok((await pictured(app, { azure })).alike);
  await isThawed(app);
  writeFileSync(azure, JSON.stringify({ ...config, postScriptLocation: "post.sh", preScriptNoOfRetries: -1 }));
  const refused = await app.run(["plan", "writer:app"], { azure });
  assert.match(
    refused.stderr,
    /preScriptNoOfRetries is not a number of retries, postScriptLocation is not an absolute path/,
  );
});

test("own programs: a check tells whether the freeze was in force to the end", async (t) => {
  const app = await started(t);
  const hook = app.hook("own");
  const check = app.hook("check", { freeze: `test -s ${app.holder}` });
  const options = { freeze: [hook, "freeze"], thaw: [hook, "thaw"], check: [check, "freeze"] };
  const made = await app.run(["create", "writer:app", "--require", "application"], options);
  assert.equal(made.exitCode, 0, made.stderr);
  assert.deepEqual(app.calls(), ["own freeze", "check freeze", "check freeze", "own thaw"]);
  // The application's own watchdog ends the freeze too early.
  const shaky = app.hook("shaky", { freeze: `if [ -e ${app.dir}/asked ]; then exit 1; fi; touch ${app.dir}/asked` });
  const lost = await app.run(["create", "writer:app", "--json"], { ...options, check: [shaky, "freeze"] });
  assert.equal(lost.exitCode, 5);
  const { set } = lost.json() as TransactionResult;
  assert.match(JSON.stringify(set), /reports before the thaw that the application is not frozen/);
  await isThawed(app);
  // A program that reports "frozen" and does nothing is detected.
  const idle = app.hook("idle", { freeze: ":", thaw: ":" });
  const lie = await app.run(["create", "writer:app"], { ...options, freeze: [idle, "freeze"] });
  assert.equal(lie.exitCode, 4);
  assert.match(lie.stderr, /reports after the freeze that the application is not frozen/);
  await isThawed(app);
});

test("a restore in place names --to, by which the data comes back", async (t) => {
  const app = await started(t);
  app.hook("10-lock");
  const options = { qemu: app.hooks };
  assert.equal((await app.run(["create", "writer:app", "--require", "application"], options)).exitCode, 0);
  const refused = await app.run(["restore", "latest", "--yes"], options);
  assert.equal(refused.exitCode, 3, refused.stderr);
  assert.match(refused.stderr, /does not support beforeRestore\.\n→ Restore with `--to DIR`/);
  const to = path.join(app.dir, "elsewhere");
  const restored = await app.run(["restore", "latest", "--yes", "--to", to], options);
  assert.equal(restored.exitCode, 0, restored.stderr);
  const [a, b] = ["a", "b"].map((name) => readFileSync(path.join(to, app.data, name), "utf8"));
  assert.ok(a === b && a !== "");
});
