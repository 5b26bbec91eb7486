import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import type { Code } from "#core/base/errors/details.js";
import type { HoldstillError } from "#core/base/errors/error.js";
import { GRACE_MS } from "#core/host/isolation/host/calls.js";
import { startSession } from "#core/host/isolation/host/start-session.js";
import type { PluginSpec, Session } from "#core/host/isolation/session.js";
import { type Fault, recordingHooks, type Misbehaviour, specOf } from "../../../support/fixture/misbehaving-plugins.js";
import { runScript } from "../../../support/process/run-script.js";
import { tempDir } from "../../../support/storage/temp.js";
import { fullTransaction, type FullTransaction } from "../../../support/fixture/writer-transaction.js";

const runtimes = ["thread", "process"] as const;
const LIMIT_MS = 10_000;
/** For calls that are meant to pass their deadline. */
const SHORT_MS = 400;
const remote = JSON.stringify(import.meta.resolve("#core/host/isolation/host/start-session.js"));

const tx = (dir: string): FullTransaction =>
  fullTransaction({ id: "t1", cut: "fuzzy", components: [], sidecarDir: dir });
const thaw = (session: Session<"writer">, dir: string, limitMs = LIMIT_MS) =>
  session.call("thaw", [tx(dir), "token"], limitMs);

async function writer(
  t: TestContext,
  runtime: PluginSpec["runtime"],
  misbehaviour: Misbehaviour = {},
): Promise<{ session: Session<"writer">; dir: string; hooks: ReturnType<typeof recordingHooks> }> {
  const dir = tempDir(t);
  const hooks = recordingHooks();
  const session = await startSession(specOf("writer", runtime, dir, misbehaviour), hooks, LIMIT_MS);
  t.after(() => session.close());
  return { session, dir, hooks };
}

/** A session with a plugin of which only this is written. */
async function pluginOf(t: TestContext, runtime: PluginSpec["runtime"], members: string): Promise<Session<"writer">> {
  const dir = tempDir(t);
  const entry = path.join(dir, "index.mjs");
  const plugin = `{ async identify() {}, async freeze() {}, async thaw() {}, async abort() {}, ${members} }`;
  writeFileSync(entry, `import fs from "node:fs"; export default ${plugin};`);
  const session = await startSession({ ...specOf("writer", runtime, dir), entry }, recordingHooks(), LIMIT_MS);
  t.after(() => session.close());
  return session;
}

interface Expected {
  code: Code;
  message: RegExp;
  /** The session goes on. */
  lives: boolean;
  limitMs?: number;
}
const expected: Record<Exclude<Fault, "blocks" | "stuck">, Expected> = {
  throws: { code: "E_PLUGIN_FAILED", message: /failed in thaw: the application said no/, lives: true },
  "rejects-non-error": { code: "E_PLUGIN_FAILED", message: /a text that is no error/, lives: true },
  "rejects-null": { code: "E_PLUGIN_FAILED", message: /null was thrown/, lives: true },
  "rejects-unhandled": { code: "E_PLUGIN_DIED", message: /nothing handled: nobody handles this/, lives: false },
  hangs: { code: "E_DEADLINE", message: /did not finish thaw within 0\.4 s/, lives: false, limitMs: SHORT_MS },
  spins: { code: "E_DEADLINE", message: /did not finish thaw within 0\.4 s/, lives: false, limitMs: SHORT_MS },
  late: { code: "E_DEADLINE", message: /did not finish thaw within 0\.4 s/, lives: false, limitMs: SHORT_MS },
  exits: { code: "E_PLUGIN_DIED", message: /during thaw: it exited with code 3/, lives: false },
  "out-of-memory": { code: "E_PLUGIN_DIED", message: /more than its 32 MiB of memory/, lives: false, limitMs: 60_000 },
  nonsense: { code: "E_ANSWER_INVALID", message: /returned an invalid result from thaw: \d errors?\./, lives: true },
  uncloneable: { code: "E_ANSWER_UNCLONEABLE", message: /not data: .*could not be cloned\.$/, lives: true },
};

for (const runtime of runtimes) {
  for (const [fault, { code, message, lives, limitMs = LIMIT_MS }] of Object.entries(expected)) {
    test(`a writer in a ${runtime} that ${fault} in thaw is ${code}, and the host goes on`, async (t) => {
      const { session, dir } = await writer(t, runtime, { in: "thaw", does: fault as Fault, delayMs: 5000 });
      const began = performance.now();
      await assert.rejects(thaw(session, dir, limitMs), { code, message });
      if (code === "E_DEADLINE")
        assert.ok(performance.now() - began < SHORT_MS + GRACE_MS, "rejects at the deadline itself");

      const next = session.call("abort", [tx(dir), null], LIMIT_MS);
      if (lives) await next;
      else await assert.rejects(next, { code: "E_PLUGIN_DIED" });

      const closing = performance.now();
      assert.equal(await session.close(), "gone");
      assert.ok(performance.now() - closing < 1000);
      if (runtime === "process") assert.equal(existsSync(`/proc/${session.worker}`), false);
      await assert.rejects(session.call("abort", [tx(dir), null], LIMIT_MS), {
        code: "E_PLUGIN_DIED",
        message: /had ended before/,
      });
    });
  }

  // In a process of its own: while a thread hangs in the kernel, the one that started it cannot end normally.
  test(`a writer in a ${runtime} that blocks in the kernel is ${runtime === "thread" ? "stuck" : "gone"}, and the host ends with its own exit code`, async (t) => {
    const dir = tempDir(t);
    const spec = specOf("writer", runtime, dir, { in: "thaw", does: "blocks" });
    const { stdout, exitCode } = await runScript(`
      import { startSession } from ${remote};
      import { hasStuckWorkers } from ${JSON.stringify(import.meta.resolve("#core/host/isolation/host/pool.js"))};
      import { exitNow, preloadLibc } from ${JSON.stringify(import.meta.resolve("#core/os/libc.js"))};
      import { writeSync } from "node:fs";
      preloadLibc();
      const session = await startSession(${JSON.stringify(spec)}, { onLog() {}, onProgress() {} }, ${LIMIT_MS});
      const { code } = await session.call("thaw", [${JSON.stringify(tx(dir))}, "token"], ${SHORT_MS}).catch((error) => error);
      const began = performance.now();
      const gone = await session.close();
      writeSync(1, [code, gone, hasStuckWorkers(), performance.now() - began < 1000].join(" "));
      exitNow(6);`);
    const stuck = runtime === "thread";
    assert.deepEqual(
      { stdout, exitCode },
      { stdout: `E_DEADLINE ${stuck ? "stuck" : "gone"} ${stuck} true`, exitCode: 6 },
    );
  });

  test(`a writer in a ${runtime} keeps its state between calls, and its answers are typed and checked`, async (t) => {
    const { session, dir, hooks } = await writer(t, runtime);
    assert.equal(session.offers("seal"), true);
    const components = await session.call("identify", [], LIMIT_MS);
    assert.deepEqual(components, [{ name: "app", kind: "files", paths: [path.join(dir, "data")], tolerates: "fuzzy" }]);
    assert.equal(await session.call("prepare", [tx(dir)], LIMIT_MS), undefined);
    const token = await session.call("freeze", [tx(dir)], LIMIT_MS);
    assert.deepEqual(await session.call("thaw", [tx(dir), token], LIMIT_MS), { uninterrupted: true });
    assert.deepEqual((await session.call("seal", [tx(dir)], LIMIT_MS)).files, ["notes.txt"]);
    assert.deepEqual(hooks.lines, ["info frozen"]);
    const calls = readFileSync(path.join(dir, "calls.log"), "utf8").trim().split("\n");
    assert.deepEqual(
      calls.map((line) => (JSON.parse(line) as { op: string }).op),
      ["identify", "prepare", "freeze", "thaw", "seal"],
    );
  });

  test(`a method that the plugin in a ${runtime} does not have is E_NOT_OFFERED`, async (t) => {
    const session = await startSession(specOf("provider", runtime, tempDir(t)), recordingHooks(), LIMIT_MS);
    t.after(() => session.close());
    assert.equal(session.offers("fork"), false);
    const snapshot = { id: "s", setId: "s", volumeId: "v", createdAt: "2026-01-01T00:00:00Z" };
    const call = session.call("fork", [snapshot], LIMIT_MS);
    await assert.rejects(call, { code: "E_NOT_OFFERED" });
  });

  test(`a plugin in a ${runtime} that stops when it is told to lives on, and the next call waits until it has stopped`, async (t) => {
    const session = await pluginOf(
      t,
      runtime,
      `
      async freeze(tx, ctx) {
        this.freezing = true;
        await new Promise((_, reject) => ctx.signal.addEventListener("abort", () => setTimeout(reject, 50, ctx.signal.reason)))
          .finally(() => { this.freezing = false; });
      },
      async thaw() { return { uninterrupted: false, facts: { freezing: this.freezing } }; }`,
    );
    await assert.rejects(session.call("freeze", [tx("/")], 100), { code: "E_DEADLINE" });
    assert.deepEqual(await thaw(session, "/"), { uninterrupted: false, facts: { freezing: false } });
  });

  test(`cancelling ends the pending calls of a ${runtime} at once with E_CANCELLED`, async (t) => {
    const { session, dir } = await writer(t, runtime, { in: "thaw", does: "hangs" });
    const calls = [thaw(session, dir), thaw(session, dir)];
    session.cancel();
    for (const call of calls) await assert.rejects(call, { code: "E_CANCELLED" });
    assert.equal(await session.close(), "gone");
  });

  test(`closing a ${runtime} ends what is pending with E_CANCELLED`, async (t) => {
    const { session, dir } = await writer(t, runtime, { in: "thaw", does: "spins" });
    const call = thaw(session, dir).catch((error: unknown) => error);
    assert.equal(await session.close(), "gone");
    assert.equal(((await call) as HoldstillError).code, "E_CANCELLED");
  });

  test(`the output, log and progress of a plugin in a ${runtime} come as messages, and never reach the host's stdout`, async (t) => {
    const dir = tempDir(t);
    const entry = path.join(dir, "index.mjs");
    writeFileSync(
      entry,
      `export default { async freeze() {}, async thaw() {}, async abort() {},
      async identify(ctx) {
        console.log("to stdout"); console.error("to stderr"); process.stdout.write("no line end\\n");
        ctx.log.warn("odd", { socket: () => 1 }); ctx.progress("half", 1, 2);
        await new Promise((resolve) => setTimeout(resolve, 200));
        return [{ name: "a", kind: "files", paths: ["/a"], tolerates: "fuzzy" }];
      } };`,
    );
    const { stdout, stderr } = await runScript(`
      import { startSession } from ${remote};
      const said = [];
      const hooks = { onLog: (level, message) => said.push(level + " " + message), onProgress: (...all) => said.push(all.join(" ")) };
      const session = await startSession(${JSON.stringify({ ...specOf("writer", runtime, dir), entry })}, hooks, ${LIMIT_MS});
      await session.call("identify", [], ${LIMIT_MS});
      await session.close();
      console.log(JSON.stringify(said.sort()));`);
    assert.deepEqual(JSON.parse(stdout), [
      "half 1 2",
      "info no line end",
      "info to stdout",
      "warn odd",
      "warn to stderr",
    ]);
    assert.equal(stderr, "");
  });

  test(`a plugin in a ${runtime} sees the environment that it was given, and not the host's`, async (t) => {
    process.env["SECRET_OF_THE_HOST"] = "x";
    t.after(() => delete process.env["SECRET_OF_THE_HOST"]);
    const session = await pluginOf(t, runtime, `async freeze() { return Object.keys(process.env); }`);
    const names = (await session.call("freeze", [tx("/")], LIMIT_MS)) as string[];
    assert.ok(names.includes("PATH") && !names.includes("SECRET_OF_THE_HOST"), names.join());
  });

  for (const [what, text, message] of [
    ["lacks a method of its kind", "export default { identify() {}, freeze() {} };", /no method thaw, abort/],
    ["exports nothing", "export const writer = {};", /default export is not an object/],
    ["throws while it loads", "throw new Error('no licence');", /could not be loaded: no licence/],
    ["misses a dependency", "import 'no-such-package';", /Cannot find package 'no-such-package'/],
  ] as const) {
    test(`a plugin in a ${runtime} that ${what} is E_PLUGIN_LOAD`, async (t) => {
      const dir = tempDir(t);
      const entry = path.join(dir, "index.mjs");
      writeFileSync(entry, text);
      const start = startSession({ ...specOf("writer", runtime, dir), entry }, recordingHooks(), LIMIT_MS);
      await assert.rejects(start, { code: "E_PLUGIN_LOAD", message });
    });
  }

  test(`a plugin in a ${runtime} that never finishes loading is E_DEADLINE, one that exits is E_PLUGIN_DIED`, async (t) => {
    const dir = tempDir(t);
    const entry = path.join(dir, "index.mjs");
    writeFileSync(entry, "for (;;);");
    const spec = { ...specOf("writer", runtime, dir), entry };
    await assert.rejects(startSession(spec, recordingHooks(), 1000), {
      code: "E_DEADLINE",
      message: /load within 1\.0 s/,
    });
    writeFileSync(entry, "process.exit(2);");
    await assert.rejects(startSession(spec, recordingHooks(), LIMIT_MS), {
      code: "E_PLUGIN_DIED",
      message: /exited with code 2/,
      hint: runtime === "process" ? /Report it/ : /Set `isolation: process`/,
    });
  });

  test(`a provider in a ${runtime} is called by the same interface`, async (t) => {
    const dir = tempDir(t);
    const session = await startSession(specOf("provider", runtime, dir), recordingHooks(), LIMIT_MS);
    t.after(() => session.close());
    const section = await session.call("prepare", [{ id: "t1", cut: "fuzzy" }, []], LIMIT_MS);
    assert.deepEqual(section, { hold: [], commit: [{ op: "plugin" }] });
    await session.call("commit", [{ id: "t1", cut: "fuzzy" }], LIMIT_MS);
    assert.deepEqual(await session.call("seal", [{ id: "t1", cut: "fuzzy" }], LIMIT_MS), []);
    assert.ok(existsSync(path.join(dir, "t1")));
  });
}

test("a native crash ends a process plugin and not the host", async (t) => {
  const session = await pluginOf(
    t,
    "process",
    `async thaw() { process.kill(process.pid, "SIGSEGV"); await new Promise(() => {}); }`,
  );
  await assert.rejects(thaw(session, "/"), { code: "E_PLUGIN_DIED", message: /it was ended by SIGSEGV/ });
});
