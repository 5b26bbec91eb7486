/** A revert of volumes that are not mounted: their writers finish later. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import type { RevertedDocument } from "#core/base/schema/types.js";
import { Scene } from "../support/fixture/scene.js";
import { onEnd } from "../support/process/on-end.js";

const skip = process.getuid?.() !== 0 && "mounting needs root";

test("the writers of an unmounted volume are asked by the next command, which revert says", { skip }, async (t) => {
  const stage = new Scene(t);
  const data = path.join(stage.app, "data");
  const mount = (): void => void execFileSync("mount", ["-t", "tmpfs", "tmpfs", data]);
  const unmount = (): void => void execFileSync("umount", [data]);
  mount();
  writeFileSync(path.join(data, "file"), "precious\n");
  const created = await stage.run(["create", "writer:app", "--quiet"]);
  assert.equal(created.exitCode, 0, created.stderr);
  const [id = ""] = stage.recorded();
  unmount();
  const ran = await stage.run(["revert", id, "--yes"]);
  assert.equal(ran.exitCode, 0, ran.stderr);
  assert.match(ran.stderr, new RegExp(`holdstill revert ${id} --finish`));
  assert.equal(existsSync(path.join(data, "restored")), false);
  const again = (await stage.run(["revert", id, "--yes", "--json"])).json() as RevertedDocument;
  assert.deepEqual([again.unmounted, again.unfinished], [[data], []]);
  const early = await stage.run(["revert", id, "--finish"]);
  assert.equal(early.exitCode, 3);
  assert.match(early.stderr, new RegExp(`nothing is mounted at ${data}`));
  assert.match((await stage.run(["revert", id, "--finish", "--json"])).stdout, /"E_NOT_MOUNTED"/);
  mount();
  onEnd(t, unmount);
  const finished = await stage.run(["revert", id, "--finish"]);
  assert.equal(finished.exitCode, 0, finished.stderr);
  assert.ok(existsSync(path.join(data, "restored")));
});
