import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { getPriority } from "node:os";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Who } from "#core/base/errors/details.js";
import type { HoldstillError } from "#core/base/errors/error.js";
import { OUTPUT_LIMIT, runProgram } from "#core/os/exec/exec.js";
import { startSession } from "#core/host/isolation/host/start-session.js";
import type { ExecOptions, ExecResult } from "#core/os/exec/options.js";
import { onEnd } from "../../../support/process/on-end.js";
import { recordingHooks, specOf } from "../../../support/fixture/misbehaving-plugins.js";
import { isAlive } from "../../../support/process/is-alive.js";
import { tempDir } from "../../../support/storage/temp.js";

const who: Who = { role: "writer", instance: "it", plugin: "writer-that", version: "1.0.0" };
const exec = (
  command: string,
  args: string[],
  options: ExecOptions = {},
  signal = new AbortController().signal,
): Promise<ExecResult> => runProgram({ who, command, args, options, signal });

test("the result of a command is its exit code and its output, also when it fails", async () => {
  const result = await exec("sh", ["-c", "cat; echo oops >&2; exit 3"], { input: "hello\n" });
  assert.deepEqual(result, { exitCode: 3, stdout: "hello\n", stderr: "oops\n" });
});

test("a command that a signal ends has no exit code", async () => {
  assert.equal((await exec("sh", ["-c", "kill -9 $$"])).exitCode, null);
});

test("a command sees PATH, HOME, LANG, LC_ALL and what it was given, and nothing else of the host", async () => {
  process.env["SECRET_OF_THE_HOST"] = "x";
  const { stdout } = await exec("env", [], { env: { PGPORT: "5432" } });
  delete process.env["SECRET_OF_THE_HOST"];
  const names = stdout.split("\n").map((line) => line.split("=")[0]);
  assert.deepEqual(
    new Set(names.filter((name) => name !== "" && name !== "TZ")),
    new Set(["HOME", "LANG", "LC_ALL", "PATH", "PGPORT"]),
  );
  assert.match(stdout, /^PATH=.*\/usr\/sbin/m);
  assert.match(stdout, /^LC_ALL=C$/m);
});

test("a program that is not installed is E_EXEC_MISSING", async () => {
  await assert.rejects(exec("no-such-program", []), { code: "E_EXEC_MISSING" });
  await assert.rejects(exec("no-such-program", [], { priority: "background" }), { code: "E_EXEC_MISSING" });
});

test("a command in the background yields to others, on the processors and on the disk, also with limited writes", async () => {
  const script = "nice; ionice";
  // 19 is the highest niceness (setpriority(2)): a test run under `nice` may be near it already.
  const background = Math.min(getPriority() + 3, 19);
  for (const options of [{}, { writable: [] }]) {
    const { stdout } = await exec("sh", ["-c", script], { ...options, priority: "background" });
    assert.deepEqual(stdout.trim().split("\n"), [`${background}`, "best-effort: prio 7"]);
  }
  assert.equal((await exec("nice", [])).stdout.trim(), `${getPriority()}`);
});

test("a folder that does not exist is not taken for a missing program", async () => {
  await assert.rejects(exec("true", [], { cwd: "/no/such/folder" }), /the folder does not exist/);
});

test("a command that writes without end is ended", async () => {
  await assert.rejects(exec("sh", ["-c", "yes & yes"]), new RegExp(`more than ${OUTPUT_LIMIT / 1024 / 1024} MiB`));
});

test("a command that is cut off ends with all that it started", async (t) => {
  const { script, pids } = family(t, "");
  const controller = new AbortController();
  const result = exec("sh", ["-c", script], {}, controller.signal);
  const running = await pids();
  controller.abort();
  await assert.rejects(result, { name: "AbortError" });
  assert.deepEqual(running.filter(isAlive), []);
});

test("a command that ignores SIGTERM is killed", async (t) => {
  const { script, pids } = family(t, "trap '' TERM;");
  const controller = new AbortController();
  const result = exec("sh", ["-c", script], {}, controller.signal);
  const running = await pids();
  controller.abort();
  await assert.rejects(result, { name: "AbortError" });
  assert.deepEqual(running.filter(isAlive), []);
});

test("what a command leaves behind in its group ends with it", async (t) => {
  const file = path.join(tempDir(t), "pid");
  assert.equal((await exec("sh", ["-c", `sleep 1000 & echo $! > ${file}`])).exitCode, 0);
  assert.equal(await gone([Number(readFileSync(file, "utf8"))]), true);
});

for (const before of ["", "trap '' TERM HUP;"]) {
  test(`a command ${before === "" ? "" : "that ignores signals "}ends with the host that was killed, with all that it started`, async (t) => {
    const { script, pids } = family(t, before);
    const module = import.meta.resolve("#core/os/exec/exec.js");
    const text = `import { runProgram } from ${JSON.stringify(module)};
      const [command, ...args] = ${JSON.stringify(["sh", "-c", script])};
      await runProgram({ who: {}, command, args, options: {}, signal: new AbortController().signal });`;
    const host = spawn(process.execPath, ["--input-type=module", "-e", text], { stdio: "inherit" });
    onEnd(t, () => host.kill("SIGKILL"));
    const running = await pids();
    assert.deepEqual(running.filter(isAlive), running);
    host.kill("SIGKILL");
    assert.equal(await gone(running), true);
  });
}

test("a command that waits for all its children does not wait for ours", async () => {
  const { stdout } = await exec("perl", ["-e", "1 while wait() != -1; print 'done'"]);
  assert.equal(stdout, "done");
});

test("a command that takes longer than its own limit is ended, and what it wrote is kept", async (t) => {
  const { script, pids } = family(t, "trap '' TERM; echo begun;");
  const result = await exec("sh", ["-c", script], { limitMs: 500 });
  assert.deepEqual(result, { exitCode: null, stdout: "begun\n", stderr: "" });
  assert.equal(await gone(await pids()), true);
});

test("what a command leaves behind continues if the options allow it, its output is dropped, and it can be ended", async (t) => {
  const file = path.join(tempDir(t), "pid");
  const script = `(echo $BASHPID > ${file}; while :; do echo still here; sleep 0.05; done) & sleep 0.2; echo $1; exit 3`;
  const ends: (() => void)[] = [];
  const { signal } = new AbortController();
  const result = await runProgram({
    who,
    command: "bash",
    args: ["-c", script, "bash", "x".repeat(100_000)],
    options: { leftovers: "keep" },
    signal,
    onLeft: (end) => ends.push(end),
  });
  const pid = Number(readFileSync(file, "utf8"));
  t.after(() => ends.forEach((end) => end()));
  assert.equal(result.exitCode, 3);
  assert.match(result.stdout, /xxx\n(still here\n)*$/);
  assert.equal(result.stdout.length, 64 * 1024);
  await sleep(300);
  assert.equal(isAlive(pid), true);
  assert.equal(ends.length, 1);
  ends[0]?.();
  assert.equal(await gone([pid]), true);
});

for (const how of ["ends", "is ended by its limit"] as const) {
  test(`a daemon that leaves the group and keeps the pipes open does not keep the caller waiting when the command ${how}`, async (t) => {
    const file = path.join(tempDir(t), "pid");
    const rest = how === "ends" ? "seq 20000" : "echo begun; exec sleep 1000";
    const script = `setsid sh -c 'echo $$ > ${file}; exec sleep 1000' & while ! [ -s ${file} ]; do sleep 0.01; done; ${rest}`;
    const result = await exec("sh", ["-c", script], how === "ends" ? {} : { limitMs: 1000 });
    const pid = Number(readFileSync(file, "utf8"));
    t.after(() => process.kill(pid, "SIGKILL"));
    const all = how === "ends" ? Array.from({ length: 20_000 }, (_, at) => `${at + 1}\n`).join("") : "begun\n";
    assert.deepEqual([result.exitCode, result.stdout === all], [how === "ends" ? 0 : null, true]);
    assert.equal(isAlive(pid), true, "a process that leaves the group is not ended");
  });
}

test("a daemon that leaves the group does not keep the caller waiting", async (t) => {
  const file = path.join(tempDir(t), "pid");
  const script = `setsid sh -c 'echo $$ > ${file}; exec sleep 1000' & while ! [ -s ${file} ]; do sleep 0.01; done; echo done`;
  const { stdout } = await exec("sh", ["-c", script], { leftovers: "keep" });
  const pid = Number(readFileSync(file, "utf8"));
  t.after(() => process.kill(pid, "SIGKILL"));
  assert.equal(stdout, "done\n");
  assert.equal(isAlive(pid), true);
});

for (const runtime of ["thread", "process"] as const) {
  const start = (dir: string, script: string, commands: string[]) => {
    const entry = path.join(dir, "index.mjs");
    writeFileSync(entry, plugin(script));
    return startSession({ ...specOf("writer", runtime, dir), entry, commands }, recordingHooks(), 10_000);
  };

  test(`a plugin in a ${runtime} may run what its manifest names, and nothing else`, async (t) => {
    const session = await start(tempDir(t), "exit 7", ["sh"]);
    t.after(() => session.close());
    await assert.rejects(session.call("identify", [], 10_000), { code: "E_PLUGIN_FAILED", message: /exit code 7/ });
    const denied = await start(tempDir(t), "exit 7", ["true"]);
    t.after(() => denied.close());
    await assert.rejects(denied.call("identify", [], 10_000), {
      code: "E_EXEC_DENIED",
      details: { who, command: "sh", allowed: ["true"] },
    });
  });

  for (const how of ["its deadline passes", "it is cancelled", "its worker dies", "its session is closed"] as const) {
    test(`a command of a plugin in a ${runtime} ends when ${how}`, async (t) => {
      const { script, pids } = family(t, "");
      const session = await start(tempDir(t), script, ["sh"]);
      t.after(() => session.close());
      const limitMs = how === "its deadline passes" ? 1500 : 60_000;
      const call = session.call("identify", [], limitMs).catch((error: unknown) => error);
      const running = await pids();
      assert.deepEqual(running.filter(isAlive), running);
      if (how === "it is cancelled") session.cancel();
      if (how === "its session is closed") await session.close();
      if (how === "its worker dies")
        await assert.rejects(session.call("abort", [...never()], 10_000), { code: "E_PLUGIN_DIED" });
      await call;
      assert.equal(await gone(running), true);
    });
  }
}

/** Arguments that the plugin below ignores. */
function never(): [{ id: string; cut: "fuzzy"; components: []; sidecarDir: string }, null] {
  return [{ id: "t1", cut: "fuzzy", components: [], sidecarDir: "/" }, null];
}

test("a program is run by its path only if the manifest allows it and no other user can change it", async (t) => {
  const dir = tempDir(t);
  const program = path.join(dir, "hook");
  writeFileSync(program, "#!/bin/sh\nexit 7\n", { mode: 0o755 });
  const entry = path.join(dir, "index.mjs");
  writeFileSync(entry, plugin("", program));
  const identify = async (programs: "by-name" | "by-path"): Promise<unknown> => {
    const spec = { ...specOf("writer", "thread", dir), entry, commands: ["sh"], programs };
    const session = await startSession(spec, recordingHooks(), 10_000);
    t.after(() => session.close());
    return session.call("identify", [], 10_000).catch((error: unknown) => error);
  };
  assert.match(String(await identify("by-path")), /exit code 7/);
  assert.equal(codeOf(await identify("by-name")), "E_EXEC_DENIED");
  chmodSync(program, 0o777);
  const refused = await identify("by-path");
  assert.equal(codeOf(refused), "E_EXEC_UNTRUSTED");
  assert.match((refused as HoldstillError).hint, /^chmod go-w /);
  rmSync(program);
  assert.equal(codeOf(await identify("by-path")), "E_EXEC_MISSING");
});

const codeOf = (error: unknown): string => (error as HoldstillError).code;

function plugin(script: string, program = "sh"): string {
  return `export default {
    async identify(ctx) {
      const { exitCode } = await ctx.exec(${JSON.stringify(program)}, ["-c", ${JSON.stringify(script)}]);
      throw new Error("exit code " + exitCode);
    },
    async freeze() {}, async thaw() {},
    async abort() { process.exit(1); },
  };`;
}

/** A shell with a child in the background and one in the foreground, and the ids of all three. */
function family(t: TestContext, before: string): { script: string; pids: () => Promise<number[]> } {
  const file = path.join(tempDir(t), "pids");
  return {
    script: `${before} sleep 1000 & echo $$ $! > ${file}.new; mv ${file}.new ${file}; sleep 1000; true`,
    async pids() {
      while (!existsSync(file)) await sleep(10);
      return readFileSync(file, "utf8").trim().split(" ").map(Number);
    },
  };
}

async function gone(pids: number[]): Promise<boolean> {
  for (let tries = 0; tries < 300; tries += 1) {
    if (!pids.some(isAlive)) return true;
    await sleep(10);
  }
  return false;
}
