/** retain, ended while it writes: the set is as it was, free for others, and the command works when it is given again. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { SnapshotSet } from "#core/base/schema/types.js";
import { programInModules } from "../support/process/command-line.js";
import { onEnd } from "../support/process/on-end.js";
import { Scene } from "../support/fixture/scene.js";

for (const signal of ["SIGKILL", "SIGHUP", "SIGINT"] as const) {
  test(`${signal} in the middle of retain, as it writes the record`, async (t) => {
    const stage = new Scene(t);
    assert.equal((await stage.run(["create", "writer:app", "--name", "good"])).exitCode, 0);
    const set = (await stage.run(["show", "good", "--json"])).json() as SnapshotSet;
    const mark = path.join(stage.dir, "writes");
    const args = [programInModules, "retain", "good", "--until", "30d", "--config", stage.configFile()];
    const child = spawn(process.execPath, ["--import", hangingBeforeRename(mark), ...args], { stdio: "ignore" });
    onEnd(t, () => void child.kill("SIGKILL"));
    while (!existsSync(mark)) {
      assert.equal(child.exitCode, null, "it ended by itself");
      await sleep(20);
    }
    assert.match((await stage.run(["delete", "good", "--yes"])).stderr, /Another process is working on set/);
    child.kill(signal);
    await once(child, "close");

    assert.deepEqual((await stage.run(["show", "good", "--json"])).json(), set);
    assert.equal((await stage.run(["recover"])).stdout, "Nothing is left over.\n");
    assert.equal((await stage.run(["retain", "good", "--until", "30d"])).exitCode, 0);
    assert.equal((await stage.run(["delete", "good", "--yes"])).exitCode, 3, "it is retained now");
    const lines = readFileSync(path.join(stage.dir, "state/audit.jsonl"), "utf8").trimEnd().split("\n");
    const actions = lines.map((line) => (JSON.parse(line) as { action: string }).action);
    assert.deepEqual(actions, ["create", "retain", "retain"], "both were tried");
  });
}

/** A module with which a process hangs for ever when the new record is to take the place of the old one. */
function hangingBeforeRename(mark: string): string {
  const code = `
    import fs from "node:fs";
    import { syncBuiltinESMExports } from "node:module";
    const rename = fs.renameSync;
    fs.renameSync = (from, to) => {
      if (!String(to).endsWith("/set.json")) return rename(from, to);
      fs.writeFileSync(${JSON.stringify(mark)}, "");
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    };
    syncBuiltinESMExports();`;
  return `data:text/javascript,${encodeURIComponent(code)}`;
}
