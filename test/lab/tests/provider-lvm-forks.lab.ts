/** Forks of provider-lvm's snapshots. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import test from "node:test";
import provider from "@holdstill/provider-lvm";
import type { Snapshot } from "holdstill/plugin";
import { lvmScene } from "../support/lvm-scene.js";
import { run } from "../support/volume-group.js";

test("a fork of a snapshot can be changed, and the snapshot stays as it was cut", async (t) => {
  const { sets, thick, thin } = lvmScene(t);
  const { snapshots, tx } = await sets.take([`${thin.mount}/srv`, `${thick.mount}/srv`]);
  const forks: Snapshot[] = [];
  for (const first of snapshots) {
    const fork = await provider.fork?.(first, sets.ctx);
    assert.ok(fork);
    forks.push(fork);
    assert.equal(fork.of, first.id);
    assert.equal(fork.setId, tx.id);
    const [changed = ""] = await sets.expose(fork, "writable");
    writeFileSync(`${changed}/file`, "repaired\n");
    const [tree = ""] = await sets.expose(first);
    assert.equal(readFileSync(`${tree}/file`, "utf8"), "precious\n");
    await provider.unexpose(fork, sets.ctx);
    const [again = ""] = await sets.expose(fork);
    assert.equal(readFileSync(`${again}/file`, "utf8"), "repaired\n");
    await provider.unexpose(fork, sets.ctx);
    const [scratched = ""] = await sets.expose(fork, "scratch");
    writeFileSync(`${scratched}/file`, "tried\n");
  }
  const listed = (await provider.list(sets.ctx)).map(({ id }) => id).toSorted();
  assert.deepEqual(listed, [...forks, ...snapshots].map(({ id }) => id).toSorted());
  await provider.abort(tx, sets.ctx);
  assert.deepEqual(await provider.list(sets.ctx), []);
  assert.doesNotMatch(run("dmsetup", ["ls"]), /holdstill/);
});
