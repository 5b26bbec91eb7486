/** The recipe of docs/backup-tools.md for a tool whose own daemon reads the files: its lines, as they are on the page. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import type { SetList } from "#core/base/schema/types.js";
import { Scene } from "../support/fixture/scene.js";
import { needsRoot } from "../support/process/as-user.js";
import type { CliRun } from "../support/process/command-line.js";
import { onEnd } from "../support/process/on-end.js";
import { repository } from "../support/repository.js";

const page = readFileSync(path.join(repository, "docs/backup-tools.md"), "utf8");

/** The commands of a kind of line, without the path of the program. */
function commands(of: " {2}Command" | "ClientRunBeforeJob" | "ClientRunAfterJob"): string[] {
  const lines = page.matchAll(new RegExp(`^${of} = "/usr/local/bin/holdstill (.+)"$`, "gm"));
  return [...lines].map(([, line = ""]) => line);
}

test("the job of Bacula sees the files at its folder, also after a job that failed", { skip: needsRoot }, async (t) => {
  const stage = new Scene(t);
  const at = path.join(stage.dir, "bacula");
  mkdirSync(at);
  onEnd(t, async () => void (await stage.run(["delete", "bacula", "--yes"])));
  const run = async (line: string): Promise<CliRun> =>
    await stage.run(line.replace("writer:pg-main", "writer:app").replace("/mnt/bacula", at).split(" "));
  const runBoth = async (lines: readonly string[]): Promise<void> => {
    assert.equal(lines.length, 2);
    for (const line of lines) {
      const { exitCode, stderr } = await run(line);
      assert.equal(exitCode, 0, `${line}: ${stderr}`);
    }
  };
  const setsOf = async (): Promise<number> => ((await stage.run(["list", "--json"])).json() as SetList).sets.length;
  const [clear = "", ...others] = commands(" {2}Command");
  assert.deepEqual(others, []);
  // The second job fails: nothing runs after it.
  for (const night of ["good", "failed", "good"]) {
    await run(clear);
    await runBoth(commands("ClientRunBeforeJob"));
    assert.equal(readFileSync(path.join(at, stage.app, "data/file"), "utf8"), "precious\n");
    if (night === "good") await runBoth(commands("ClientRunAfterJob"));
    assert.equal(await setsOf(), night === "good" ? 0 : 1);
  }
});

test(
  "a folder at which another set is exposed is refused with the command that frees it",
  { skip: needsRoot },
  async (t) => {
    const stage = new Scene(t);
    const at = path.join(stage.dir, "at");
    mkdirSync(at);
    for (const name of ["one", "other"]) {
      const made = await stage.run(["create", "writer:app", "--name", name]);
      assert.equal(made.exitCode, 0, made.stderr);
    }
    onEnd(t, async () => void (await stage.run(["unexpose", "one"])));
    assert.equal((await stage.run(["expose", "one", "--at", at])).exitCode, 0);
    const refused = await stage.run(["expose", "other", "--at", at]);
    assert.equal(refused.exitCode, 2);
    assert.match(refused.stderr, /set (\S+) is mounted there\.\n→ Unexpose it first: holdstill unexpose \1/);
  },
);
