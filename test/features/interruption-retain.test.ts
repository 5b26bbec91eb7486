/** retain, ended while it writes: the set is as it was, free for others, and the command works when it is given again. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { SnapshotSet } from "#core/base/schema/types.js";
import { program } from "../support/process/command-line.js";
import { onEnd } from "../support/process/on-end.js";
import { Scene } from "../support/fixture/scene.js";

for (const signal of ["SIGKILL", "SIGHUP", "SIGINT"] as const) {
  test(`${signal} in the middle of retain, as it writes the record`, async (t) => {
    const stage = new Scene(t);
    assert.equal((await stage.run(["create", "writer:app", "--name", "good"])).exitCode, 0);
    const set = (await stage.run(["show", "good", "--json"])).json() as SnapshotSet;
    const draft = path.join(stage.dir, "state/sets", set.id, "set.json.draft");
    // Whoever opens a pipe to write to it waits for a reader.
    execFileSync("mkfifo", [draft]);
    const args = [program, "retain", "good", "--until", "30d", "--config", stage.configFile()];
    const child = spawn(process.execPath, args, { stdio: "ignore" });
    onEnd(t, () => void child.kill("SIGKILL"));
    while (!(await isOpening(child.pid))) {
      assert.equal(child.exitCode, null, "it ended by itself");
      await sleep(20);
    }
    assert.match((await stage.run(["delete", "good", "--yes"])).stderr, /Another process is working on set/);
    child.kill(signal);
    await once(child, "close");
    rmSync(draft);

    assert.deepEqual((await stage.run(["show", "good", "--json"])).json(), set);
    assert.equal((await stage.run(["recover"])).stdout, "Nothing is left over.\n");
    assert.equal((await stage.run(["retain", "good", "--until", "30d"])).exitCode, 0);
    assert.equal((await stage.run(["delete", "good", "--yes"])).exitCode, 3, "it is retained now");
    const lines = readFileSync(path.join(stage.dir, "state/audit.jsonl"), "utf8").trimEnd().split("\n");
    const actions = lines.map((line) => (JSON.parse(line) as { action: string }).action);
    assert.deepEqual(actions, ["create", "retain", "retain"], "both were tried");
  });
}

/** Whether it stands in the kernel's openat(2): twice the same is no file that is opened in passing. */
async function isOpening(pid = 0): Promise<boolean> {
  const read = (): string => readFileSync(`/proc/${pid}/syscall`, "utf8");
  const before = read();
  await sleep(50);
  return before.startsWith(`${openat[process.arch] ?? ""} `) && read() === before;
}
const openat: Record<string, string> = { x64: "257", arm64: "56" };
