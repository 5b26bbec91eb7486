/** Forks of provider-lvm's snapshots. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import test from "node:test";
import provider from "@holdstill/provider-lvm";
import type { Snapshot } from "holdstill/plugin";
import { lvmScene } from "../support/lvm-scene.js";
import { run } from "../support/volume-group.js";
import { listAll } from "../../support/fixture/list-all.js";

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
    // Both at once, and in either order.
    for (const access of ["read-only", "scratch"] as const) {
      for (const one of [first, fork]) {
        await provider.unexpose(one, sets.ctx);
        const [shown = ""] = await sets.expose(one, access);
        assert.equal(readFileSync(`${shown}/file`, "utf8"), one === first ? "precious\n" : "repaired\n");
        assert.deepEqual(await sets.expose(one, access), [shown]);
      }
    }
    await provider.unexpose(first, sets.ctx);
    // A thick fork reads from its snapshot, which therefore may not change.
    if (first.method === "thick") await assert.rejects(sets.expose(first, "writable"), { code: "BUSY" });
    await provider.unexpose(fork, sets.ctx);
    const [scratched = ""] = await sets.expose(fork, "scratch");
    writeFileSync(`${scratched}/file`, "tried\n");
  }
  const listed = (await listAll(provider, sets.ctx)).map(({ id }) => id).toSorted();
  assert.deepEqual(listed, [...forks, ...snapshots].map(({ id }) => id).toSorted());
  await provider.abort(tx, sets.ctx);
  assert.deepEqual(await listAll(provider, sets.ctx), []);
  assert.doesNotMatch(run("dmsetup", ["ls"]), /holdstill/);
});
