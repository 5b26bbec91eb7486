/** Where provider-lvm's pictures have what was captured, and the way back to that. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import test from "node:test";
import provider from "@holdstill/provider-lvm";
import type { Snapshot } from "holdstill/plugin";
import { onEnd } from "../../rig/on-end.js";
import { stage } from "../rig/lvm-stage.js";
import { run } from "../rig/volume-group.js";

test("what was mounted as a part of its file system is found in the picture", async (t) => {
  const { sets, thin } = stage(t);
  const bound = "/mnt/bound";
  mkdirSync(bound, { recursive: true });
  run("mount", ["--bind", `${thin.mount}/srv`, bound]);
  onEnd(t, () => void run("umount", [bound]));
  const { snapshots } = await sets.take([`${bound}/file`]);
  const [tree = ""] = await sets.expose(snapshots[0] as Snapshot);
  assert.equal(readFileSync(tree, "utf8"), "precious\n");
});

test("reverting brings the captured state back, but not below somebody's feet", async (t) => {
  const { sets, thick, thin, vg } = stage(t);
  const { snapshots } = await sets.take([`${thick.mount}/srv`, `${thin.mount}/srv`]);
  for (const [at, volume] of [thick, thin].entries()) {
    const snapshot = snapshots[at] as Snapshot;
    writeFileSync(`${volume.mount}/srv/file`, "spoilt\n");
    await assert.rejects(provider.revert?.(snapshot, sets.ctx) ?? Promise.resolve(), { code: "BUSY" });
    run("umount", [volume.mount]);
    await provider.revert?.(snapshot, sets.ctx);
    run("mount", [`/dev/${vg.name}/${volume.name}`, volume.mount]);
    assert.equal(readFileSync(`${volume.mount}/srv/file`, "utf8"), "precious\n");
    writeFileSync(`${volume.mount}/srv/file`, "goes on\n");
  }
  assert.deepEqual(await provider.list(sets.ctx), []);
});
