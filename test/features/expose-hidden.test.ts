/** Folders above a volume hide its contents from other users, also where its snapshot is exposed. */
import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync, readFileSync, realpathSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import type { SnapshotSet } from "#core/base/schema/types.js";
import { Scene } from "../support/fixture/scene.js";
import { alice, asUser, mallory, needsRoot } from "../support/process/as-user.js";

for (const [what, access, readers] of [
  ["nothing", { mode: 0o755, gid: 0 }, { alice: true, mallory: true }],
  ["a folder of one group", { mode: 0o750, gid: alice.gid }, { alice: true, mallory: false }],
  ["a folder of root alone", { mode: 0o700, gid: alice.gid }, { alice: false, mallory: false }],
] as const)
  test(
    `where ${what} hides a volume, the users who could read it can read its snapshot`,
    { skip: needsRoot },
    async (t) => {
      const scene = new Scene(t);
      const dir = realpathSync(scene.dir);
      chmodSync(dir, 0o755);
      const data = path.join(dir, "above/volume/data");
      mkdirSync(data, { recursive: true });
      writeFileSync(path.join(data, "file"), "contents");
      chownSync(path.join(dir, "above"), 0, access.gid);
      chmodSync(path.join(dir, "above"), access.mode);
      const provider = { asVolume: true };
      const made = await scene.run(["create", data, "--quiet"], { provider });
      assert.equal(made.exitCode, 0, made.stderr);
      const exposed = await scene.run(["expose", made.stdout.trim(), "--json"], { provider });
      assert.equal(exposed.exitCode, 0, exposed.stderr);
      const [shown] = (exposed.json() as SnapshotSet).exposed ?? [];
      const tree = shown?.exposed.trees[0]?.path ?? "";
      assert.equal(readFileSync(path.join(tree, "file"), "utf8"), "contents");
      const mayRead = (user: typeof alice): boolean => {
        const read = (folder: string): boolean => asUser(user, () => isReadable(path.join(folder, "file")));
        assert.equal(read(tree), read(data), "the same as of the original");
        return read(tree);
      };
      assert.deepEqual({ alice: mayRead(alice), mallory: mayRead(mallory) }, readers);
      const unexposed = await scene.run(["unexpose", made.stdout.trim(), "--quiet"], { provider });
      assert.equal(unexposed.exitCode, 0, unexposed.stderr);
      assert.equal(statSync(path.join(dir, "exposed", made.stdout.trim()), { throwIfNoEntry: false }), undefined);
    },
  );

function isReadable(file: string): boolean {
  try {
    return readFileSync(file, "utf8") === "contents";
  } catch {
    return false;
  }
}
