/** How provider-lvm shows its snapshots, and lets them be written to. */
import assert from "node:assert/strict";
import { closeSync, existsSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import test from "node:test";
import provider from "@holdstill/provider-lvm";
import type { Snapshot } from "holdstill/plugin";
import { lvmScene } from "../support/lvm-scene.js";
import { run, type VolumeGroup } from "../support/volume-group.js";

test("each view shows what was there at the cut, and only a writable one changes the snapshot", async (t) => {
  const { sets, thick, thin, vg } = lvmScene(t);
  // A file that is deleted and still open is an orphan, which a file system wants to clean up when it is mounted.
  const orphan = openSync(`${thin.mount}/srv/orphan`, "w");
  writeFileSync(orphan, "gone");
  rmSync(`${thin.mount}/srv/orphan`);
  const { snapshots } = await sets.take([`${thick.mount}/srv`, `${thin.mount}/srv`]);
  closeSync(orphan);
  for (const { mount } of [thick, thin]) writeFileSync(`${mount}/srv/file`, "changed\n");
  for (const snapshot of snapshots) {
    await t.test(`${snapshot.method}`, async () => {
      const before = digest(vg, snapshot);
      for (const access of ["read-only", "scratch", "writable"] as const) {
        const [tree = ""] = await sets.expose(snapshot, access);
        assert.deepEqual(await sets.expose(snapshot, access), [tree]);
        assert.equal(readFileSync(`${tree}/file`, "utf8"), "precious\n");
        assert.deepEqual(readdirSync(tree), ["file"]);
        if (access === "read-only") assert.throws(() => writeFileSync(`${tree}/new`, ""), /EROFS/);
        else writeFileSync(`${tree}/new`, access);
        await provider.unexpose(snapshot, sets.ctx);
        assert.equal(existsSync(tree), false);
        if (access === "scratch") assert.equal(digest(vg, snapshot), before, "a view has changed the snapshot");
      }
      const [tree = ""] = await sets.expose(snapshot);
      assert.equal(readFileSync(`${tree}/new`, "utf8"), "writable");
      await assert.rejects(sets.expose(snapshot, "scratch"), { code: "BUSY" });
      await provider.remove(snapshot, sets.ctx);
      await provider.remove(snapshot, sets.ctx);
      await provider.unexpose(snapshot, sets.ctx);
    });
  }
  assert.doesNotMatch(vg.lvm("lvs", ["-a", "--noheadings", "-o", "lv_name", vg.name]), /holdstill/);
  assert.doesNotMatch(run("dmsetup", ["ls"]), /holdstill/);
});

/** Of all bytes that the snapshot has. */
function digest(vg: VolumeGroup, { id, method }: Snapshot): string {
  const name = id.slice(id.indexOf("/") + 1);
  if (method === "thin") vg.lvm("lvchange", ["-ay", "-K", id]);
  const sum = run("sha256sum", [`/dev/mapper/${vg.dm(name)}`]);
  if (method === "thin") vg.lvm("lvchange", ["-an", id]);
  return sum;
}
