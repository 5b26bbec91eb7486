/** Signals and kill -9 in every phase, on the real command line: nothing stays frozen, nothing is left, or recover finds it. */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { describe, it } from "node:test";
import { text } from "node:stream/consumers";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { PluginOp } from "#core/host/isolation/operations.js";
import type { TransactionResult } from "#core/engine/types.js";
import { program } from "../support/process/command-line.js";
import { documentIn } from "../support/process/document.js";
import { wholeMatrix } from "../support/whole-matrix.js";
import { pluginsThat } from "../support/fixture/misbehaving-plugins.js";
import type { Fault } from "#core/base/schema/types.js";
import { type Roles, Scene } from "../support/fixture/scene.js";

const moments: { role: "writer" | "provider"; op: PluginOp }[] = [
  { role: "writer", op: "identify" },
  { role: "writer", op: "prepare" },
  { role: "provider", op: "prepare" },
  { role: "writer", op: "freeze" },
  { role: "provider", op: "commit" },
  { role: "writer", op: "thaw" },
  { role: "writer", op: "seal" },
  { role: "provider", op: "seal" },
];

/** A create that hangs in `op`, after the call has taken effect. */
async function hanging(stage: Scene, role: "writer" | "provider", op: PluginOp): Promise<ChildProcess> {
  const when = op === "thaw" ? "before" : "after";
  const config = stage.configFile({ [role]: { in: op, does: "hangs", when }, limits: patient });
  const child = spawn(process.execPath, [program, "create", "writer:app", "--json", "--config", config], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  while (!stage.calls(role === "writer" ? "app" : "store").includes(op)) await sleep(20);
  await sleep(50);
  return child;
}

const textOf = (stream: Readable | null): Promise<string> => (stream === null ? Promise.resolve("") : text(stream));

/** Long enough that no deadline comes first; thaw's is a part of freeze's. */
const patient: NonNullable<Roles["limits"]> = {
  identify: "30s",
  prepare: "30s",
  copy: "30s",
  seal: "30s",
  freeze: "3s",
};

/** One handler answers all three. `npm run matrix` tries each in each moment. */
const isTurn = {
  SIGINT: () => true,
  SIGTERM: (at: number) => at % 4 === 1,
  SIGHUP: (at: number) => at % 4 === 3,
} as const;

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  describe(`${signal} while a plugin hangs`, { concurrency: 2 }, () => {
    for (const { role, op } of moments.filter((_, at) => wholeMatrix || isTurn[signal](at))) {
      it(`in ${op} of the ${role}: ends with 130, nothing frozen, nothing left`, async (t) => {
        const stage = new Scene(t);
        const child = await hanging(stage, role, op);
        child.kill(signal);
        const said = textOf(child.stdout);
        const [exitCode] = (await once(child, "close")) as [number | null];
        assert.equal(exitCode, 130);
        assert.equal((JSON.parse(await said) as { error: Fault }).error.code, "E_INTERRUPTED");
        assert.equal(stage.isFrozen(), false);
        assert.deepEqual(stage.stored(), []);
        assert.equal((await stage.run(["create", "writer:app"])).exitCode, 0, "the next transaction works");
      });
    }
  });
}

test("SIGINT while a plugin loads ends it at once", async (t) => {
  const stage = new Scene(t);
  const slow = path.join(stage.dir, "plugins/writer-that");
  cpSync(path.join(pluginsThat, "writer-that"), slow, { recursive: true });
  const manifest = readFileSync(path.join(slow, "plugin.json"), "utf8");
  writeFileSync(path.join(slow, "plugin.json"), manifest.replace('"1.0.0"', '"1.0.1"'));
  const flag = path.join(stage.dir, "loading");
  const hang = `await new Promise(() => setTimeout(() => {}, 60_000));\nexport default {};\n`;
  const source = `import { writeFileSync } from "node:fs";\nwriteFileSync(${JSON.stringify(flag)}, "");\n${hang}`;
  writeFileSync(path.join(slow, "index.js"), source);
  const env = { ...process.env, HOLDSTILL_PLUGIN_PATH: path.dirname(slow) };
  const args = [program, "create", "writer:app", "--json", "--config", stage.configFile()];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"], env });
  while (!existsSync(flag)) await sleep(20);
  const asked = performance.now();
  child.kill("SIGINT");
  const [exitCode] = (await once(child, "close")) as [number | null];
  assert.equal(exitCode, 130);
  const took = performance.now() - asked;
  assert.ok(took < 20_000, `it took ${took} ms; a plugin may load for 30 s`);
});

test("SIGINT while a writer that need not take part says what it owns: nobody is asked to prepare", async (t) => {
  const stage = new Scene(t);
  const roles: Roles = { writer: { in: "identify", does: "hangs" }, policy: "best-effort", limits: patient };
  const args = [program, "create", stage.app, "--json", "--config", stage.configFile(roles)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  while (!stage.calls("app").includes("identify")) await sleep(20);
  child.kill("SIGINT");
  const [exitCode] = (await once(child, "close")) as [number | null];
  assert.equal(exitCode, 130);
  assert.ok(!stage.calls("store").includes("prepare"));
});

for (const [command, ...more] of [["create"], ["run", "--", "true"], ["create", "--lease-stdin"]] as const) {
  test(`SIGINT while ${[command, ...more].join(" ")} removes a set that outlived its lease ends it, and recover removes that`, async (t) => {
    const stage = new Scene(t);
    await outlived(stage);
    const config = stage.configFile({ provider: { in: "remove", does: "hangs" }, limits: patient });
    const args = [program, "--config", config, "--json", command, "writer:app", ...more];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    while (!stage.calls("store").includes("remove")) await sleep(20);
    const asked = performance.now();
    child.kill("SIGINT");
    const said = textOf(child.stdout);
    const [exitCode] = (await once(child, "close")) as [number | null];
    const took = performance.now() - asked;
    assert.ok(took < 20_000, `it took ${took} ms; a call of seal may take 30 s`);
    assert.equal(exitCode, 130);
    assert.equal((documentIn(await said, args.slice(1)) as { error: Fault }).error.code, "E_INTERRUPTED");
    assert.equal(stage.calls("app").filter((op) => op === "prepare").length, 1, "no set is taken after that");
    assert.equal((await stage.run(["recover", "--yes"])).exitCode, 0);
    assert.deepEqual([stage.stored(), stage.recorded()], [[], []]);
  });
}

/** A set with a lease whose process was killed. */
async function outlived(stage: Scene): Promise<void> {
  const args = [program, "create", "writer:app", "--lease-stdin", "--config", stage.configFile({ limits: patient })];
  const holder = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "ignore"] });
  await once(holder.stdout, "data");
  holder.kill("SIGKILL");
  await once(holder, "close");
}

test("SIGINT while what a writer has left is brought to disk ends it, and nothing of it is left", async (t) => {
  const stage = new Scene(t);
  const roles: Roles = { writer: { leaves: tooMuch }, limits: patient };
  const args = [program, "create", "writer:app", "--json", "--config", stage.configFile(roles)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  while (!stage.calls("app").includes("seal")) await sleep(20);
  await sleep(300);
  const asked = performance.now();
  child.kill("SIGINT");
  const [exitCode] = (await once(child, "close")) as [number | null];
  const took = performance.now() - asked;
  assert.equal(exitCode, 130);
  assert.ok(took < 20_000, `it took ${took} ms`);
  assert.deepEqual([stage.stored(), stage.recorded(), stage.isFrozen()], [[], [], false]);
});

test("what a writer has left must be on disk within the limit of seal, or the set is undone and the writer named", async (t) => {
  const stage = new Scene(t);
  const ended = await stage.run(["create", "writer:app"], { writer: { leaves: tooMuch } });
  assert.equal(ended.exitCode, 4, ended.stderr);
  assert.match(ended.stderr, /writer `app` .* failed in seal: the 2 files that it left could not be brought to disk/);
  assert.deepEqual([stage.stored(), stage.recorded()], [[], []]);
});

/** Bytes that take minutes to read; they have no blocks. */
const tooMuch = 2 ** 38;

describe("kill -9 while a plugin hangs", { concurrency: 2 }, () => {
  for (const { role, op } of moments.filter((moment) => moment.op !== "identify")) {
    it(`in ${op} of the ${role}: recover finds what is left, and removes it`, async (t) => {
      const stage = new Scene(t);
      const child = await hanging(stage, role, op);
      child.kill("SIGKILL");
      await once(child, "close");

      const look = await stage.run(["recover", "--dry-run", "--json"]);
      assert.equal((look.json() as { leftovers: unknown[] }).leftovers.length, 1, look.stdout);
      const refused = await stage.run(["recover"]);
      assert.equal(refused.exitCode, 2, "it does not touch anything without being told to");
      const recovered = await stage.run(["recover", "--yes"]);
      assert.equal(recovered.exitCode, 0, recovered.stdout + recovered.stderr);

      assert.equal(stage.isFrozen(), false);
      assert.deepEqual(stage.stored(), []);
      const next = await stage.run(["create", "writer:app", "--json"]);
      assert.equal((next.json() as TransactionResult).outcome, "created");
    });
  }
});
