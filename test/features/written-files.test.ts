/** Files that root has a command write into the folder of another user, who has put links there. */
import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import test from "node:test";
import { Scene } from "../support/fixture/scene.js";
import { alice, asUser, needsRoot } from "../support/process/as-user.js";
import { holdstill } from "../support/process/command-line.js";

/** A folder in which alice may put links, and what they are to lead to. */
function folderOfAlice({ dir }: Scene): { folder: string; victim: string } {
  chmodSync(dir, 0o755);
  const folder = path.join(dir, "of-alice");
  mkdirSync(folder);
  chownSync(folder, alice.uid, alice.gid);
  return { folder, victim: path.join(dir, "victim") };
}

for (const [what, name, link, args] of [
  ["metrics", "hs.prom", "hs.prom.draft", (file: string) => ["metrics", "--file", file]],
  ["a config", "holdstill.yaml", "holdstill.yaml.draft", (file: string) => ["init", "--yes", "--config", file]],
] as const)
  test(`${what}: a link in the place of the draft is replaced, not followed`, { skip: needsRoot }, async (t) => {
    const scene = new Scene(t);
    const { folder, victim } = folderOfAlice(scene);
    writeFileSync(victim, "root's\n");
    asUser(alice, () => symlinkSync(victim, path.join(folder, link)));
    const file = path.join(folder, name);
    const done = await (what === "metrics" ? scene.run(args(file)) : holdstill(args(file)));
    assert.equal(done.exitCode, 0, done.stderr);
    assert.equal(readFileSync(victim, "utf8"), "root's\n");
    assert.ok(lstatSync(file).isFile());
  });

test("schedule does not write through a link that leads nowhere yet", { skip: needsRoot }, async (t) => {
  const scene = new Scene(t);
  const { folder, victim } = folderOfAlice(scene);
  asUser(alice, () => symlinkSync(victim, path.join(folder, "holdstill-nightly.service")));
  const args = ["schedule", "nightly", scene.app, "--on", "daily", "--write", folder, "--yes", "--", "true"];
  const done = await holdstill([...args.slice(0, 7), "--config", scene.configFile(), ...args.slice(7)]);
  assert.notEqual(done.exitCode, 0);
  assert.equal(existsSync(victim), false);
});
