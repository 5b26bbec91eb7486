/** `holdstill expose --at`: the snapshots below a folder that the caller names, for everybody, until they are unexposed. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Leftover } from "#core/engine/types.js";
import type { SnapshotSet } from "#core/base/schema/types.js";
import { program } from "../support/process/command-line.js";
import { onEnd } from "../support/process/on-end.js";
import { Scene } from "../support/fixture/scene.js";

const skip = process.getuid?.() === 0 ? false : "mounting needs root";

interface TakenScene {
  stage: Scene;
  id: string;
  /** Where the snapshots are to be mounted. */
  at: string;
  mounts: () => string[];
}

async function staged(t: TestContext): Promise<TakenScene> {
  const stage = new Scene(t);
  const made = await stage.run(["create", "writer:app", "--quiet"]);
  assert.equal(made.exitCode, 0, made.stderr);
  const at = path.join(stage.dir, "snapshot");
  mkdirSync(at);
  const mounts = (): string[] =>
    readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .map((line) => line.split(" ")[4] ?? "")
      .filter((point) => point.startsWith(stage.dir));
  onEnd(t, () => {
    for (const point of mounts().toReversed()) execFileSync("umount", [point]);
  });
  return { stage, id: made.stdout.trim(), at, mounts };
}

test(
  "the snapshots lie below the folder at their original paths, read-only, until the set is unexposed",
  { skip },
  async (t) => {
    const { stage, id, at, mounts } = await staged(t);
    const exposed = await stage.run(["expose", id, "--at", at, "--json"]);
    assert.equal(exposed.exitCode, 0, exposed.stdout + exposed.stderr);
    assert.equal((exposed.json() as SnapshotSet).exposedAt, at);
    const file = path.join(at, stage.app, "data/file");
    assert.equal(readFileSync(file, "utf8"), "precious\n");
    assert.throws(() => writeFileSync(file, "spoilt"), { code: "EROFS" });
    assert.throws(() => writeFileSync(path.join(at, "new"), ""), { code: "EROFS" });
    assert.match(readFileSync(path.join(at, ".holdstill/sidecar/app/notes.txt"), "utf8"), /^sealed/);
    const before = mounts();
    assert.equal((await stage.run(["expose", id, "--at", at, "--quiet"])).stdout, `${at}\n`);
    assert.deepEqual(mounts(), before, "asked again, nothing is mounted twice");
    assert.match((await stage.run(["show", id])).stdout, new RegExp(`all below ${at}, at their original paths`));
    const reader = spawn("sh", ["-c", "echo in; read -r line"], {
      cwd: path.dirname(file),
      stdio: ["pipe", "pipe", "ignore"],
    });
    await once(reader.stdout, "data");
    const busy = await stage.run(["delete", id, "--yes", "--json"]);
    assert.match(busy.stdout, /"E_MIRROR_BUSY"/);
    reader.stdin.end("\n");
    await once(reader, "exit");
    const unexposed = await stage.run(["unexpose", id, "--json"]);
    assert.equal(unexposed.exitCode, 0, unexposed.stderr);
    assert.equal((unexposed.json() as SnapshotSet).exposedAt, undefined);
    assert.deepEqual([mounts(), readdirSync(at)], [[], []]);
    await stage.run(["expose", id, "--at", at]);
    assert.equal((await stage.run(["delete", id, "--yes"])).exitCode, 0);
    assert.deepEqual([mounts(), readdirSync(at), stage.stored()], [[], [], []]);
  },
);

test(
  "a folder that is not there, not empty, a link or another one than before is refused, and nothing is exposed",
  { skip },
  async (t) => {
    const { stage, id, at, mounts } = await staged(t);
    const inDir = (name: string): string => path.join(stage.dir, name);
    symlinkSync(at, inDir("link"));
    const cases: Record<string, RegExp> = {
      [inDir("missing")]: /there is no such folder/,
      [stage.app]: /it is not empty/,
      [inDir("link")]: /it is a symbolic link/,
      [`${inDir("link")}/`]: /it is a symbolic link/,
      [path.join(stage.app, "data/file")]: /it is not a folder/,
    };
    for (const [folder, reason] of Object.entries(cases)) {
      const refused = await stage.run(["expose", id, "--at", folder]);
      assert.equal(refused.exitCode, 2, folder);
      assert.match(refused.stderr, reason);
    }
    assert.deepEqual([mounts(), existsSync(inDir("exposed"))], [[], false]);
    assert.equal((await stage.run(["expose", id, "--at", at])).exitCode, 0);
    mkdirSync(inDir("other"));
    const second = await stage.run(["expose", id, "--at", inDir("other")]);
    assert.match(second.stderr, /the set is mounted at .*snapshot already/);
    assert.equal((await stage.run(["unexpose", id])).exitCode, 0);
  },
);

test("what a dead process has mounted and not written down is found by recover, and goes", { skip }, async (t) => {
  const { stage, id, at, mounts } = await staged(t);
  const bin = path.join(stage.dir, "bin");
  mkdirSync(bin);
  const slow = `#!/bin/sh\n${path.join("/usr/bin", "mount")} "$@" || exit\ncase $* in *bind*) exec sleep 5 ;; esac\n`;
  writeFileSync(path.join(bin, "mount"), slow);
  chmodSync(path.join(bin, "mount"), 0o755);
  const env = { ...process.env, PATH: `${bin}:${process.env["PATH"]}` };
  const args = [program, "expose", id, "--at", at, "--config", stage.configFile()];
  const child = spawn(process.execPath, args, { stdio: "ignore", env });
  while (mounts().length < 2) await sleep(10);
  child.kill("SIGKILL");
  await once(child, "exit");
  const { leftovers } = (await stage.run(["recover", "--dry-run", "--json"])).json() as { leftovers: Leftover[] };
  assert.deepEqual(leftovers, [{ type: "exposure", id }]);
  assert.equal((await stage.run(["recover", "--yes"])).exitCode, 0);
  assert.deepEqual([mounts(), readdirSync(at)], [[], []]);
  assert.equal((await stage.run(["recover"])).stdout, "Nothing is left over.\n");
});
