/** `holdstill expose --at`: the snapshots below a folder that the caller names, for everybody, until they are unexposed. */
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import type { Leftover } from "#core/engine/types.js";
import type { SnapshotSet } from "#core/base/schema/types.js";
import { asUser, mallory } from "../support/process/as-user.js";
import { interferedWith } from "../support/process/kernel-hook.js";
import { onEnd } from "../support/process/on-end.js";
import { Scene } from "../support/fixture/scene.js";
import { tempDir } from "../support/storage/temp.js";

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

test("what a folder above the original hides is hidden below the folder as well", { skip }, async (t) => {
  const { stage, id } = await staged(t);
  const at = tempDir(t);
  chmodSync(at, 0o755);
  const found: string[] = [];
  for (const mode of [0o755, 0o700]) {
    // It is above what is captured.
    chmodSync(stage.dir, mode);
    const exposed = await stage.run(["expose", id, "--at", at]);
    assert.equal(exposed.exitCode, 0, exposed.stdout + exposed.stderr);
    const as = ["--reuid", `${mallory.uid}`, "--regid", `${mallory.gid}`, "--clear-groups"];
    const cat = [...as, "cat", path.join(at, stage.app, "data/file")];
    const { stdout, stderr } = spawnSync("setpriv", cat, { encoding: "utf8" });
    found.push(stdout + stderr);
    assert.equal((await stage.run(["unexpose", id])).exitCode, 0);
  }
  assert.equal(found[0], "precious\n");
  assert.match(found[1] ?? "", /Permission denied/);
});

test(
  "the snapshots lie below the folder at their original paths, read-only, until the set is unexposed",
  { skip },
  async (t) => {
    const { stage, id, at, mounts } = await staged(t);
    const exposed = await stage.run(["expose", id, "--at", at, "--json"]);
    assert.equal(exposed.exitCode, 0, exposed.stdout + exposed.stderr);
    assert.match((await stage.run(["list"])).stdout, / EXPOSED +TARGETS\n.* read-only {2}/);
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
    assert.doesNotMatch((await stage.run(["list"])).stdout, /EXPOSED/);
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
      [inDir("missing")]: /the folder does not exist/,
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
  // The first is the folder of the mount points, the next one a snapshot.
  const nodeArgs = interferedWith(t, { before: "moveMount", time: 3, script: "true", kills: true });
  const killed = await stage.run(["expose", id, "--at", at], {}, { nodeArgs });
  assert.equal(killed.exitCode, null, killed.stderr);
  assert.equal(mounts().length, 2);
  const { leftovers } = (await stage.run(["recover", "--dry-run", "--json"])).json() as { leftovers: Leftover[] };
  assert.deepEqual(leftovers, [{ type: "exposure", id }]);
  assert.equal((await stage.run(["recover", "--yes"])).exitCode, 0);
  assert.deepEqual([mounts(), readdirSync(at)], [[], []]);
  assert.equal((await stage.run(["recover"])).stdout, "Nothing is left over.\n");
});

test(
  "below a folder of another user nothing is mounted, and a folder that is exchanged meanwhile leads nowhere",
  { skip },
  async (t) => {
    const { stage, id, at, mounts } = await staged(t);
    chmodSync(stage.dir, 0o755);
    const [home, victim] = [path.join(stage.dir, "home"), path.join(stage.dir, "victim")];
    const below = path.join(home, "at");
    for (const dir of [home, below, victim]) mkdirSync(dir);
    for (const dir of [home, below]) chownSync(dir, mallory.uid, mallory.gid);
    const refused = await stage.run(["expose", id, "--at", below, "--json"]);
    assert.equal(refused.exitCode, 3, refused.stdout);
    assert.match(refused.stdout, /"E_PATH_UNSAFE"/);
    asUser(mallory, () => {
      renameSync(below, `${below}-moved`);
      symlinkSync(victim, below);
    });
    assert.match((await stage.run(["expose", id, "--at", path.join(below, "x"), "--json"])).stdout, /"E_PATH_UNSAFE"/);
    assert.deepEqual(
      [mounts(), existsSync(path.join(stage.dir, "exposed", id))],
      [[], false],
      "a refused expose leaves no folder",
    );
    // Even where its name leads elsewhere by now, the folder that was checked is covered.
    const script = `mv ${at} ${at}-moved; ln -s ${victim} ${at}`;
    const nodeArgs = interferedWith(t, { before: "moveMount", time: 1, script });
    const exposed = await stage.run(["expose", id, "--at", at], {}, { nodeArgs });
    assert.equal(exposed.exitCode, 0, exposed.stderr);
    assert.deepEqual([readdirSync(victim), mounts().every((point) => point.startsWith(`${at}-moved`))], [[], true]);
    assert.equal((await stage.run(["unexpose", id])).exitCode, 0);
    assert.deepEqual(mounts(), []);
  },
);
