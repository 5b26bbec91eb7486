/** Hooks that misbehave: whatever they do, the application goes on, and who is at fault is named. */
import assert from "node:assert/strict";
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Fault } from "#core/base/schema/types.js";
import { onEnd } from "../support/process/on-end.js";
import { HookedApp } from "../support/fixture/hooked-app.js";
import { isAlive } from "../support/process/is-alive.js";

const short = { freeze: "4s" };

async function started(t: TestContext): Promise<HookedApp> {
  const app = new HookedApp(t);
  assert.ok(await app.runs());
  return app;
}

async function isThawed(app: HookedApp): Promise<void> {
  assert.equal(app.holderPid(), undefined);
  assert.ok(await app.runs());
  assert.deepEqual(owed(app), []);
}

function owed(app: HookedApp): string[] {
  const folder = path.join(app.dir, "state/plugins/app/owed");
  return existsSync(folder) ? readdirSync(folder) : [];
}

for (const [what, before] of [
  ["hangs", ""],
  ["hangs and ignores SIGTERM", "trap '' TERM;"],
] as const) {
  test(`a hook that ${what} after it froze the application is named, ended with all that it started, and undone`, async (t) => {
    const app = await started(t);
    const pid = path.join(app.dir, "hung");
    const hung = `${before} ${app.takeLock()}; sleep 1000 & echo $$ $! > ${pid}; wait; sleep 1000`;
    app.hook("10-first", { freeze: ":", thaw: ":" });
    app.hook("20-hung", { freeze: hung });
    const { exitCode, stderr } = await app.run(["create", "writer:app"], { qemu: app.hooks }, {}, short);
    assert.equal(exitCode, 4, stderr);
    assert.match(stderr, /20-hung freeze did not end in \d\.\d s, or was killed/);
    assert.deepEqual(app.calls(), ["10-first freeze", "20-hung freeze", "10-first thaw", "20-hung thaw"]);
    for (const one of readFileSync(pid, "utf8").trim().split(" ")) assert.equal(isAlive(Number(one)), false);
    await isThawed(app);
  });
}

test("a hook that leaves a daemon behind, with its output open, delays no caller", async (t) => {
  const app = await started(t);
  const pid = path.join(app.dir, "daemon");
  const daemon = `setsid sh -c 'echo $$ > ${pid}; while :; do echo alive; sleep 0.1; done' & ${app.takeLock()}`;
  app.hook("10-daemon", { freeze: daemon });
  onEnd(t, () => process.kill(Number(readFileSync(pid, "utf8")), "SIGKILL"));
  const { exitCode, stderr } = await app.run(["create", "writer:app"], { qemu: app.hooks });
  assert.equal(exitCode, 0, stderr);
  assert.ok(isAlive(Number(readFileSync(pid, "utf8"))), "it wrote in vain, and was not to be ended");
  await isThawed(app);
});

test("what a freeze left running ends with the transaction, also when the thaw forgets it", async (t) => {
  const app = await started(t);
  app.hook("10-lock", { thaw: ":" });
  const made = await app.run(["create", "writer:app"], { qemu: app.hooks });
  assert.equal(made.exitCode, 0, made.stderr);
  assert.ok(app.holderPid() !== undefined && !isAlive(app.holderPid()));
  assert.ok(await app.runs());
});

test("what a thaw starts in the background runs on", async (t) => {
  const app = await started(t);
  const pid = path.join(app.dir, "service");
  app.hook("10-lock", { thaw: `${app.dropLock()}; sleep 1000 & echo $! > ${pid}` });
  onEnd(t, () => process.kill(Number(readFileSync(pid, "utf8")), "SIGKILL"));
  assert.equal((await app.run(["create", "writer:app"], { qemu: app.hooks })).exitCode, 0);
  assert.ok(isAlive(Number(readFileSync(pid, "utf8"))));
});

test("a thaw that fails stays owed, the others are made, and recover makes it when the hook is fixed", async (t) => {
  const app = await started(t);
  app.hook("10-broken", { freeze: ":", thaw: "exit 9" });
  app.hook("20-lock");
  const options = { qemu: app.hooks };
  const failed = await app.run(["create", "writer:app"], options);
  assert.equal(failed.exitCode, 6, failed.stderr);
  assert.match(failed.stderr, /10-broken thaw exited with 9/);
  assert.equal(app.holderPid(), undefined);
  assert.equal(owed(app).length, 1);
  app.hook("10-broken", { freeze: ":", thaw: ":" });
  const before = app.calls().length;
  const recovered = await app.run(["recover", "--yes"], options);
  assert.equal(recovered.exitCode, 0, recovered.stderr);
  assert.deepEqual(app.calls().slice(before), ["10-broken thaw"]);
  await isThawed(app);
});

test("after SIGKILL in the freeze, recover thaws with the hooks that froze, whatever lies there now", async (t) => {
  const app = await started(t);
  app.hook("10-lock", { freeze: app.takeLock("setsid") });
  app.hook("20-slow", { freeze: "sleep 3", thaw: ":" });
  const options = { qemu: app.hooks };
  const killed = await app.run(["create", "writer:app"], options, {
    onStart: (child) => void kill(app, child.pid ?? 0),
  });
  assert.equal(killed.exitCode, null);
  assert.equal(isAlive(app.holderPid()), true);
  app.hook("30-new", { freeze: ":", thaw: ":" });
  const before = app.calls().length;
  const recovered = await app.run(["recover", "--yes"], options);
  assert.equal(recovered.exitCode, 0, recovered.stderr);
  assert.deepEqual(app.calls().slice(before).toSorted(), ["10-lock thaw", "20-slow thaw"]);
  await isThawed(app);
});

test("a hook that runs when holdstill is killed ends with it, so that nothing is frozen after recover", async (t) => {
  const app = await started(t);
  const slow = path.join(app.dir, "slow");
  const late = path.join(app.dir, "late");
  const freeze = `trap '' TERM HUP; (sleep 1.5; echo frozen > ${late}) & echo $$ $! > ${slow}; sleep 1.5; ${app.takeLock()}`;
  app.hook("20-slow", { freeze });
  const options = { qemu: app.hooks };
  await app.run(["create", "writer:app"], options, {
    onStart: (child) => void kill(app, child.pid ?? 0),
  });
  const recovered = await app.run(["recover", "--yes"], options);
  assert.equal(recovered.exitCode, 0, recovered.stderr);
  for (const pid of readFileSync(slow, "utf8").trim().split(" ")) assert.equal(isAlive(Number(pid)), false);
  await sleep(2000);
  assert.equal(existsSync(late), false);
  await isThawed(app);
});

test("what a freeze left running ends when holdstill is killed", async (t) => {
  const app = await started(t);
  app.hook("10-lock");
  app.hook("20-slow", { freeze: "sleep 3", thaw: ":" });
  await app.run(["create", "writer:app"], { qemu: app.hooks }, { onStart: (child) => void kill(app, child.pid ?? 0) });
  assert.ok(await app.runs());
});

async function kill(app: HookedApp, pid: number): Promise<void> {
  while (!app.calls().includes("20-slow freeze")) await sleep(10);
  process.kill(pid, "SIGKILL");
}

test("a hook that another user could change is refused before anything is touched, with the command that fixes it", async (t) => {
  const app = await started(t);
  const hook = app.hook("10-lock");
  chmodSync(hook, 0o777);
  const options = { qemu: app.hooks };
  const refused = await app.run(["create", "writer:app", "--json"], options);
  assert.equal(refused.exitCode, 2);
  const { error } = refused.json() as { error: Fault };
  assert.equal(error.code, "E_EXEC_UNTRUSTED");
  assert.equal(error.hint, `chmod go-w ${hook}`);
  chmodSync(hook, 0o755);
  chmodSync(app.hooks, 0o777);
  assert.match((await app.run(["plan", "writer:app"], options)).stderr, /hooks is writable for all users/);
  chmodSync(app.hooks, 0o755);
  // Azure's scripts are named in a file: each is looked at before it is run.
  const azure = path.join(app.dir, "azure.json");
  const open = app.hook("open");
  chmodSync(open, 0o757);
  writeFileSync(
    azure,
    JSON.stringify({ preScriptLocation: open, postScriptLocation: hook, preScriptParams: ["freeze"] }),
  );
  const late = await app.run(["create", "writer:app", "--json"], { azure });
  assert.equal((late.json() as { error: Fault }).error.code, "E_EXEC_UNTRUSTED");
  assert.deepEqual(
    app.calls().filter((call) => call.endsWith(" freeze")),
    [],
  );
  assert.ok(await app.runs());
});

test("options that name no hooks, two kinds of them, or none that runs are refused", async (t) => {
  const app = await started(t);
  for (const [options, says] of [
    [{}, /expected either `freeze` with `thaw` or `qemu` or `vmware` or `azure`, and no other of these/],
    [{ qemu: app.hooks, vmware: app.hooks }, /expected either `freeze` with `thaw` or `qemu`/],
    [{ freeze: ["/bin/true"] }, /thaw/],
    [{ freeze: ["true"], thaw: ["/bin/true"] }, /"true"/],
    [{ qemu: "/no/such/hook" }, /needs `\/no\/such\/hook`, which does not exist/],
    [{ qemu: app.hooks }, /has no hook/],
  ] as const) {
    const { exitCode, stderr } = await app.run(["create", "writer:app"], options);
    assert.ok([2, 4].includes(exitCode ?? 0), `${exitCode}: ${stderr}`);
    assert.match(stderr, says);
  }
  writeFileSync(path.join(app.hooks, "README"), "");
  const { stderr } = await app.run(["plan", "writer:app"], { vmware: app.hooks });
  assert.match(stderr, /README does not exist, or is not a program\n→ If it is a hook: chmod u\+x /);
  rmSync(path.join(app.hooks, "README"));
});

test("a link in the folder that leads nowhere is skipped with a warning, and the other hooks run", async (t) => {
  const app = await started(t);
  app.hook("10-lock");
  symlinkSync(path.join(app.hooks, "nowhere"), path.join(app.hooks, "20-gone"));
  const { exitCode, stderr } = await app.run(["create", "writer:app", "--verbose"], { qemu: app.hooks });
  assert.equal(exitCode, 0, stderr);
  assert.match(stderr, /20-gone is a link that leads to no file, and is skipped/);
  assert.deepEqual(app.calls(), ["10-lock freeze", "10-lock thaw"]);
  await isThawed(app);
});

test("a hook that its first line keeps from running is refused before any hook runs, with the reason", async (t) => {
  const app = await started(t);
  app.hook("10-lock");
  const broken = path.join(app.hooks, "20-broken");
  for (const [text, says] of [
    [
      "#!/bin/sh\r\nexit 0\r\n",
      /20-broken cannot be run: its first line ends with CR LF[^→]*→ Remove the CR: sed -i 's\/\\r\$/,
    ],
    ["#!/no/such/shell -e\nexit 0\n", /20-broken cannot be run: its interpreter \/no\/such\/shell does not exist/],
  ] as const) {
    writeFileSync(broken, text, { mode: 0o755 });
    const { exitCode, stderr } = await app.run(["create", "writer:app"], { qemu: app.hooks });
    assert.notEqual(exitCode, 0);
    assert.match(stderr, says);
  }
  assert.deepEqual(app.calls(), []);
});
