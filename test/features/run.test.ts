/** `holdstill run`: a command gets the snapshots, and whatever becomes of it or of us, nothing stays. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { RunResult } from "#core/engine/lease/run-command.js";
import type { Leftover } from "#core/engine/types.js";
import type { SnapshotSet } from "#core/base/schema/types.js";
import { type CliRun, program } from "../support/process/command-line.js";
import { onEnd } from "../support/process/on-end.js";
import { type Roles, Scene } from "../support/fixture/scene.js";
import { isGone } from "../support/process/victim.js";

const skip = process.getuid?.() === 0 ? false : "mounting needs root";

/** Nothing is mounted, stored or recorded. */
async function leavesNothing(stage: Scene): Promise<void> {
  assert.deepEqual(mountsBelow(stage.dir), []);
  assert.deepEqual(stage.stored(), []);
  assert.deepEqual(readdirSync(path.join(stage.dir, "state/sets")), []);
  assert.deepEqual(readdirSync(path.join(stage.dir, "state/leases")), []);
  assert.equal((await stage.run(["recover"])).stdout, "Nothing is left over.\n");
}

const mountsBelow = (dir: string): string[] =>
  readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => line.includes(dir));

const run = (stage: Scene, script: string, options: string[] = [], roles: Roles = {}): Promise<CliRun> =>
  stage.run(["run", "writer:app", ...options, "--config", stage.configFile(roles), "--", "sh", "-c", script]);

test(
  "the command finds the snapshots below one root, read-only, with the record and the sidecars",
  { skip },
  async (t) => {
    const stage = new Scene(t);
    const script = `cat "$HOLDSTILL_ROOT${stage.app}/data/file" "$HOLDSTILL_ROOT/.holdstill/sidecar/app/notes.txt"
    grep -c "$HOLDSTILL_SET" "$HOLDSTILL_SET_JSON"; echo "$HOLDSTILL_ROOT"; touch "$HOLDSTILL_ROOT${stage.app}/data/new" && echo wrote
    awk -v at="$HOLDSTILL_ROOT${stage.app}/data" '$5 == at { print $6 }' /proc/self/mountinfo`;
    const { stdout, exitCode, stderr } = await run(stage, script);
    assert.equal(exitCode, 0, stderr);
    const [content, note, named, root, options = "", ...more] = stdout.trimEnd().split("\n");
    assert.deepEqual([content, more], ["precious", []]);
    assert.match(note ?? "", /^sealed \d{8}-/);
    assert.ok(Number(named) > 0);
    assert.equal(root, path.join(stage.dir, "exposed/root"));
    for (const option of ["ro", "nosuid", "nodev"]) assert.ok(options.split(",").includes(option), options);
    assert.match(stderr, /^holdstill: sh ended with 0 after /m);
    assert.deepEqual(stage.calls("app").slice(-1), ["complete"]);
    await leavesNothing(stage);
  },
);

test(
  "with --in-place the command finds the snapshot at the original path, and the original is changed by others",
  { skip },
  async (t) => {
    const stage = new Scene(t);
    const file = path.join(stage.app, "data/file");
    const outside = `nsenter --target ${process.pid} --mount sh -c 'echo changed > ${file}'`;
    const { stdout, exitCode } = await run(stage, `${outside}; cat ${file}; echo "$HOLDSTILL_ROOT"`, ["--in-place"]);
    assert.deepEqual([stdout, exitCode], ["precious\n/\n", 0]);
    assert.equal(readFileSync(file, "utf8"), "changed\n");
    await leavesNothing(stage);
  },
);

test("who may not mount gets the snapshots where they are exposed", { skip }, async (t) => {
  const stage = new Scene(t);
  const user = { uid: 65534, gid: 65534 };
  for (const entry of readdirSync(stage.dir, { recursive: true, encoding: "utf8" }))
    chownSync(path.join(stage.dir, entry), user.uid, user.gid);
  chownSync(stage.dir, user.uid, user.gid);
  chmodSync(stage.dir, 0o755);
  const [one, two] = ["cat $HOLDSTILL_ROOT$0/data/file; ls $HOLDSTILL_SET_JSON | wc -l", "true"];
  const config = stage.configFile();
  const on = (...args: string[]): Promise<CliRun> =>
    stage.run(["run", "writer:app", "--config", config, ...args], {}, { user });
  const read = await on("--", "sh", "-c", one, stage.app);
  assert.deepEqual([read.stdout, read.exitCode], ["precious\n1\n", 0], read.stderr);
  const refused = await on("--in-place", "--", two);
  assert.match(refused.stderr, /^holdstill: The snapshots could not be mounted: this process may not mount\.$/m);
  assert.equal(refused.exitCode, 4);
  assert.match((await on("--in-place", "--json", "--", two)).stdout, /"E_MIRROR"/);
  assert.deepEqual(stage.stored(), []);
});

test("the command's exit code is passed on, and the writers learn whether it was 0", async (t) => {
  const stage = new Scene(t);
  const failed = await run(stage, "echo hello; exit 7", ["--json"]);
  assert.equal(failed.exitCode, 7);
  assert.deepEqual((failed.json() as RunResult).command, { exitCode: 7, signal: null });
  const killed = await run(stage, "kill -KILL $$");
  assert.equal(killed.exitCode, 137);
  assert.match(killed.stderr, /^holdstill: sh was ended by SIGKILL after /m);
  await leavesNothing(stage);
  const kept = await run(stage, "exit 1", ["--keep"]);
  assert.equal(kept.exitCode, 1);
  const set = (await stage.run(["show", "latest", "--json"])).json() as SnapshotSet;
  assert.deepEqual([set.outcome?.succeeded, set.outcome?.type, set.lease, set.exposed], [false, "copy", undefined, []]);
  assert.equal((await stage.run(["recover"])).stdout, "Nothing is left over.\n", "a kept set is no leftover");
});

test("a program that is not there, or none, is told before anything is asked of anybody", async (t) => {
  const stage = new Scene(t);
  const missing = await stage.run([
    "run",
    "writer:app",
    "--json",
    "--config",
    stage.configFile(),
    "--",
    "no-such-tool",
  ]);
  assert.equal(missing.exitCode, 2);
  assert.match(missing.stdout, /"E_COMMAND_MISSING"/);
  const none = await stage.run(["run", "writer:app"]);
  assert.match(none.stderr, /`run` requires a COMMAND after `--`/);
  assert.deepEqual(stage.calls("app"), []);
});

test("after an abort, and with a set below what was asked, the command is not run", async (t) => {
  const stage = new Scene(t);
  const aborted = await run(stage, "echo ran", [], { writer: { in: "freeze", does: "throws" } });
  assert.deepEqual([aborted.stdout, aborted.exitCode], ["", 4]);
  const degraded = await run(stage, "echo ran", [], { writer: { in: "thaw", does: "throws" } });
  assert.deepEqual([degraded.stdout, degraded.exitCode], ["", 5]);
  assert.match(degraded.stderr, /but application was asked for\. The command was not run\.$/m);
  const hidden = await run(stage, "echo ran", [], { provider: { in: "expose", does: "throws" } });
  assert.deepEqual([hidden.stdout, hidden.exitCode], ["", 4]);
  await leavesNothing(stage);
});

test("writers that cannot be told, and a set that cannot be removed, are told of", async (t) => {
  const stage = new Scene(t);
  const notNotified = await run(stage, "true", [], { writer: { in: "complete", does: "throws" } });
  assert.equal(notNotified.exitCode, 0);
  assert.match(notNotified.stderr, /failed in complete/);
  const left = await run(stage, "true", [], { provider: { in: "remove", does: "throws", when: "before" } });
  assert.equal(left.exitCode, 6);
  assert.match(left.stderr, /failed in remove/);
  assert.equal((await stage.run(["recover", "--yes"])).exitCode, 0);
  await leavesNothing(stage);
});

test("a set that a run could not remove is removed by the next one", async (t) => {
  const stage = new Scene(t);
  const left = await run(stage, "true", [], { provider: { in: "remove", does: "throws", when: "before" } });
  assert.equal(left.exitCode, 6);
  assert.equal(stage.stored().length, 1);
  const next = await run(stage, "true");
  assert.equal(next.exitCode, 0);
  assert.match(next.stderr, /whose requester is gone, was removed/);
  await leavesNothing(stage);
});

/** A run whose command says that it is there and waits; the child, and the command's process id. */
async function waiting(t: TestContext, stage: Scene, wrap: readonly string[] = []): Promise<[ChildProcess, number]> {
  const script = `trap 'echo "got $sig" > ${stage.dir}/got; exit 9' INT TERM HUP; echo $$ > ${stage.dir}/there
    while [ ! -e ${stage.dir}/go ]; do sleep 0.05; done; cat "$HOLDSTILL_ROOT${stage.app}/data/file" > ${stage.dir}/read`;
  const args = [
    process.execPath,
    program,
    "run",
    "writer:app",
    "--config",
    stage.configFile(),
    "--",
    "sh",
    "-c",
    script,
  ];
  const [first = "", ...rest] =
    wrap.length === 0
      ? args
      : [...wrap, args.map((arg) => `'${arg.replaceAll("'", String.raw`'\''`)}'`).join(" "), "/dev/null"];
  const child = spawn(first, rest, { stdio: ["ignore", "pipe", "pipe"] });
  onEnd(t, () => void child.kill("SIGKILL"));
  const file = path.join(stage.dir, "there");
  while (!existsSync(file) || readFileSync(file, "utf8") === "") await sleep(20);
  const pid = Number(readFileSync(file, "utf8"));
  onEnd(t, async () => {
    if (!(await isGone(pid, 20))) process.kill(pid, "SIGKILL");
  });
  return [child, pid];
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  test(`${signal}: the command gets it, its end is waited for, and nothing is left`, { skip }, async (t) => {
    const stage = new Scene(t);
    const [child] = await waiting(t, stage);
    child.kill(signal);
    const [exitCode] = (await once(child, "close")) as [number | null];
    assert.equal(exitCode, 9);
    assert.ok(existsSync(path.join(stage.dir, "got")));
    await leavesNothing(stage);
  });
}

test("a terminal that is closed ends the command, and nothing is left", { skip }, async (t) => {
  const stage = new Scene(t);
  const [terminal, pid] = await waiting(t, stage, ["script", "--quiet", "--command"]);
  const parent = Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
  terminal.kill("SIGKILL");
  assert.ok(await isGone(pid));
  assert.ok(await isGone(parent, 10_000));
  await leavesNothing(stage);
});

test(
  "kill -9: the command reads on to its end, then recover finds the set, or the next create removes it",
  { skip },
  async (t) => {
    for (const sweep of [
      ["recover", "--yes"],
      ["create", "writer:app"],
    ]) {
      const stage = new Scene(t);
      const [child, pid] = await waiting(t, stage);
      child.kill("SIGKILL");
      await once(child, "exit");
      assert.deepEqual(mountsBelow(stage.dir), []);
      assert.equal((await stage.run(["recover"])).stdout, "Nothing is left over.\n", "the set is still in use");
      writeFileSync(path.join(stage.dir, "go"), "");
      assert.ok(await isGone(pid));
      assert.equal(readFileSync(path.join(stage.dir, "read"), "utf8"), "precious\n");
      const { leftovers } = (await stage.run(["recover", "--dry-run", "--json"])).json() as { leftovers: Leftover[] };
      assert.deepEqual(
        leftovers.map(({ type: is }) => is),
        ["expired"],
      );
      assert.equal((await stage.run(sweep)).exitCode, 0);
      if (sweep[0] === "create") assert.equal((await stage.run(["delete", "latest", "--yes"])).exitCode, 0);
      await leavesNothing(stage);
    }
  },
);

test("a command that ends well on a snapshot that was lost meanwhile is not a backup", async (t) => {
  const stage = new Scene(t);
  const ran = await run(stage, `cat "$HOLDSTILL_SET_JSON" >/dev/null; rm -rf ${stage.store}/"$HOLDSTILL_SET"`, [
    "--json",
    "--keep",
  ]);
  assert.equal(ran.exitCode, 5, ran.stdout + ran.stderr);
  const { error, command } = ran.json() as RunResult;
  assert.deepEqual([error?.code, command?.exitCode], ["E_SNAPSHOT_LOST", 0]);
  const set = (await stage.run(["show", "latest", "--json"])).json() as SnapshotSet;
  assert.equal(set.outcome?.succeeded, false, "what the writers were told");
});
