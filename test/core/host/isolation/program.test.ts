/** Plugins that are programs: whatever they do, the host goes on, and what they start ends with them. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Code } from "#core/base/errors/details.js";
import type { HoldstillError } from "#core/base/errors/error.js";
import { startSession } from "#core/host/isolation/host/start-session.js";
import type { Session } from "#core/host/isolation/session.js";
import {
  type Fault,
  type Misbehaviour,
  recordingHooks,
  specOf,
  type WireFault,
} from "../../../support/fixture/misbehaving-plugins.js";
import { type FullTransaction, fullTransaction } from "../../../support/fixture/writer-transaction.js";
import { isAlive } from "../../../support/process/is-alive.js";
import { runScript } from "../../../support/process/run-script.js";
import { repository } from "../../../support/repository.js";
import { tempDir } from "../../../support/storage/temp.js";

const LIMIT_MS = 20_000;
/** For calls that are meant to pass their deadline. */
const SHORT_MS = 1000;
const tx = (dir: string): FullTransaction =>
  fullTransaction({ id: "t1", cut: "fuzzy", components: [], sidecarDir: dir });
const thaw = (session: Session<"writer">, dir: string, limitMs = LIMIT_MS) =>
  session.call("thaw", [tx(dir), "token"], limitMs);

async function writer(t: TestContext, misbehaviour: Misbehaviour = {}) {
  const dir = tempDir(t);
  const hooks = recordingHooks();
  const session = await startSession(specOf("writer", "executable", dir, misbehaviour), hooks, LIMIT_MS);
  t.after(() => session.close());
  return { session, dir, hooks };
}

/** A program of which only this is written, in Python: `Plugin`, or more. */
function program(dir: string, text: string): string {
  const entry = path.join(dir, "main.py");
  const head = `#!/usr/bin/python3 -B
import os, sys, time
sys.path.insert(0, "${path.join(repository, "core/template/python")}")
from holdstill_rpc import *
class Base:
    def __init__(self, options): self.options = options
    def identify(self, ctx): return []
    def freeze(self, tx, ctx): return "token"
    def thaw(self, tx, token, ctx): return {"uninterrupted": True}
    def abort(self, tx, token, ctx): pass
`;
  writeFileSync(entry, `${head}${text}\nserve(Plugin)\n`, { mode: 0o755 });
  return entry;
}

async function sessionOf(t: TestContext, text: string, more: { commands?: string[] } = {}) {
  const dir = tempDir(t);
  const hooks = recordingHooks();
  const spec = { ...specOf("writer", "executable", dir), entry: program(dir, text), ...more };
  const session = await startSession(spec, hooks, LIMIT_MS);
  t.after(() => session.close());
  return { session, dir, hooks };
}

interface Expected {
  code: Code;
  message: RegExp;
  /** The session goes on. */
  lives?: true;
  limitMs?: number;
}
const late: Expected = { code: "E_DEADLINE", message: /did not finish thaw within 1\.0 s/, limitMs: SHORT_MS };
const foreign: Expected = { code: "E_PLUGIN_DIED", message: /it wrote to its stdout what is not JSON-RPC/ };
const expected: Partial<Record<Fault | WireFault, Expected>> = {
  throws: { code: "E_PLUGIN_FAILED", message: /failed in thaw: the application said no/, lives: true },
  hangs: late,
  spins: late,
  blocks: late,
  late,
  exits: { code: "E_PLUGIN_DIED", message: /during thaw: it exited with code 3/ },
  "out-of-memory": { code: "E_PLUGIN_FAILED", message: /MemoryError/, lives: true },
  nonsense: { code: "E_ANSWER_INVALID", message: /returned an invalid result from thaw: \d errors?\./, lives: true },
  "writes-garbage": foreign,
  "writes-no-json": foreign,
  "writes-no-message": foreign,
  "writes-half": late,
  "writes-without-end": { code: "E_PLUGIN_DIED", message: /it sent a message that is too long/ },
  floods: { code: "E_PLUGIN_DIED", message: /more messages in a second than its host can take/ },
  "answers-another": late,
  "answers-deep": { code: "E_PLUGIN_DIED", message: /a message that its host does not know/ },
  "closes-stdout": { code: "E_PLUGIN_DIED", message: /it closed its stdout/ },
};

for (const [fault, { code, message, lives, limitMs = LIMIT_MS }] of Object.entries(expected)) {
  test(`a program that ${fault.replaceAll("-", " ")} in thaw is ${code}, and the host goes on`, async (t) => {
    const { session, dir } = await writer(t, { in: "thaw", does: fault as Fault });
    await assert.rejects(thaw(session, dir, limitMs), { code, message });
    const next = session.call("abort", [tx(dir), null], LIMIT_MS);
    if (lives) await next;
    else await assert.rejects(next, { code: "E_PLUGIN_DIED" });
    assert.equal(await session.close(), "gone");
    assert.equal(existsSync(`/proc/${session.worker}`), false);
  });
}

test("the code and the hint of a program's error are those that the user sees", async (t) => {
  const { session, dir } = await writer(t, { in: "thaw", does: "throws" });
  const error = (await thaw(session, dir).catch((one: unknown) => one)) as HoldstillError;
  assert.deepEqual([error.hint, (error.details as { pluginCode?: string }).pluginCode], ["Ask it nicely.", "EAPP"]);
});

test("a program keeps its state from prepare to seal, and its answers are typed and checked", async (t) => {
  const { session, dir, hooks } = await writer(t);
  assert.deepEqual([session.offers("seal"), session.offers("verify")], [true, false]);
  const components = await session.call("identify", [], LIMIT_MS);
  assert.deepEqual(components, [{ name: "app", kind: "files", paths: [path.join(dir, "data")], tolerates: "fuzzy" }]);
  assert.equal(await session.call("prepare", [tx(dir)], LIMIT_MS), undefined);
  const token = await session.call("freeze", [tx(dir)], LIMIT_MS);
  assert.deepEqual(await thaw(session, dir), { uninterrupted: true });
  assert.deepEqual(token, { transaction: "t1" });
  assert.deepEqual((await session.call("seal", [tx(dir)], LIMIT_MS)).facts, { session: "t1" });
  assert.deepEqual(hooks.lines, ["info frozen"]);
  await assert.rejects(session.call("verify", [tx(dir), { trees: [], readOnly: true }], LIMIT_MS), {
    code: "E_NOT_OFFERED",
  });
});

test("a program that stops when it is told to lives on, and the next call waits until it has stopped", async (t) => {
  const { session, dir } = await sessionOf(
    t,
    `class Plugin(Base):
    freezing = False
    def freeze(self, tx, ctx):
        self.freezing = True
        try: ctx.sleep(60)
        finally:
            time.sleep(0.05)
            self.freezing = False
    def thaw(self, tx, token, ctx): return {"uninterrupted": False, "facts": {"freezing": self.freezing}}`,
  );
  await assert.rejects(session.call("freeze", [tx(dir)], SHORT_MS), { code: "E_DEADLINE" });
  assert.deepEqual(await thaw(session, dir), { uninterrupted: false, facts: { freezing: false } });
});

test("what a program prints is in the log, and never among its messages; progress and the time that is left arrive", async (t) => {
  const { session, dir, hooks } = await sessionOf(
    t,
    `class Plugin(Base):
    def freeze(self, tx, ctx):
        print("to stdout"); print("to stderr", file=sys.stderr)
        ctx.log("odd", "warn", n=1); ctx.progress("half", 1, 2)
        os.write(2, b"no line end")
        return [round(ctx.deadline - time.monotonic()), ctx.start["protocol"], ctx.data_dir, os.environ.get("SECRET", "")]`,
  );
  const token = await session.call("freeze", [tx(dir)], LIMIT_MS);
  assert.deepEqual(token, [LIMIT_MS / 1000, 1, dir, ""]);
  await session.close();
  assert.deepEqual(hooks.lines.toSorted(), ["warn no line end", "warn odd", "warn to stderr", "warn to stdout"]);
  assert.deepEqual(hooks.progress, ["half"]);
});

test("a program has the host run others for it: what its manifest names, and for the call alone", async (t) => {
  const pidFile = path.join(tempDir(t), "pid");
  const text = `class Plugin(Base):
    def freeze(self, tx, ctx):
        return ctx.exec("sh", ["-c", "cat; exit 7"], {"input": "read"})
    def thaw(self, tx, token, ctx):
        ctx.exec("id", [])
    def abort(self, tx, token, ctx):
        ctx.exec("sh", ["-c", "echo $$ >$0; sleep 60", "${pidFile}"])`;
  const { session, dir } = await sessionOf(t, text, { commands: ["sh"] });
  const result = await session.call("freeze", [tx(dir)], LIMIT_MS);
  assert.deepEqual(result, { exitCode: 7, stdout: "read", stderr: "" });
  await assert.rejects(thaw(session, dir), { code: "E_EXEC_DENIED" });
  await assert.rejects(session.call("abort", [tx(dir), null], SHORT_MS), { code: "E_DEADLINE" });
  await session.close();
  assert.equal(isAlive(Number(readFileSync(pidFile, "utf8"))), false);
});

for (const [what, text, code, message] of [
  [
    "lacks a method of its kind",
    "class Plugin:\n    def __init__(self, _): pass",
    "E_PLUGIN_LOAD",
    /no method identify/,
  ],
  [
    "throws while it starts",
    "class Plugin:\n    def __init__(self, _): raise OSError('no licence')",
    "E_PLUGIN_LOAD",
    /no licence/,
  ],
  ["exits at once", "os._exit(2)", "E_PLUGIN_DIED", /exited with code 2/],
  [
    "is no list of methods",
    'class Plugin(Base): pass\nos.write(1, b\'Content-Length: 36\\r\\n\\r\\n{"jsonrpc":"2.0","id":0,"result":{}}\'); time.sleep(60)',
    "E_PLUGIN_LOAD",
    /no list `methods`/,
  ],
] as const) {
  test(`a program that ${what} is ${code}`, async (t) => {
    const dir = tempDir(t);
    const spec = { ...specOf("writer", "executable", dir), entry: program(dir, text) };
    await assert.rejects(startSession(spec, recordingHooks(), LIMIT_MS), { code, message });
  });
}

test("a program that never answers the first request is E_DEADLINE for load", async (t) => {
  const dir = tempDir(t);
  const spec = { ...specOf("writer", "executable", dir), entry: program(dir, "time.sleep(60)") };
  const message = /load within 1\.0 s/;
  await assert.rejects(startSession(spec, recordingHooks(), SHORT_MS), { code: "E_DEADLINE", message });
});

test("a program that spins, and what it has started, end with a host that is killed", async (t) => {
  const dir = tempDir(t);
  const entry = program(
    dir,
    `import subprocess
class Plugin(Base):
    def freeze(self, tx, ctx):
        subprocess.Popen(["sleep", "60"])
        open("${dir}/begun", "w").close()
        while True: pass`,
  );
  const spec = { ...specOf("writer", "executable", dir), entry };
  const { stdout } = await runScript(`
    import { startSession } from ${JSON.stringify(import.meta.resolve("#core/host/isolation/host/start-session.js"))};
    import { existsSync } from "node:fs";
    import { setTimeout as sleep } from "node:timers/promises";
    const session = await startSession(${JSON.stringify(spec)}, { onLog() {}, onProgress() {} }, ${LIMIT_MS});
    session.call("freeze", [${JSON.stringify(tx(dir))}], ${LIMIT_MS});
    while (!existsSync("${dir}/begun")) await sleep(10);
    console.log(session.worker);
    process.kill(process.pid, "SIGKILL");`);
  const group = Number(stdout);
  assert.ok(group > 0);
  for (let tries = 0; membersOf(group).length > 0 && tries < 1000; tries += 1) await sleep(10);
  assert.deepEqual(membersOf(group), []);
});

/** The processes of a group that are alive. */
function membersOf(group: number): number[] {
  const all = readdirSync("/proc").map(Number).filter(Number.isInteger);
  return all.filter((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2]) === group && isAlive(pid);
    } catch {
      return false;
    }
  });
}
