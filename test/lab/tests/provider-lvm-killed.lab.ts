/** The command line is killed while provider-lvm works for it. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import test from "node:test";
import { commandLine } from "../support/command-line.js";
import { checkAll, furnish, mounts, stateOf } from "../support/lvm-state.js";
import { run, VolumeGroup } from "../support/volume-group.js";

const plugins = [{ use: "provider-lvm", options: { size: "16M" } }];

test("killed in prepare, hold or seal, nothing stays suspended, recover leaves nothing, and LVM has no complaint", async (t) => {
  const vg = new VolumeGroup(t);
  const volumes = furnish(vg);
  const command = commandLine(t, plugins);
  const before = stateOf(vg);
  for (const phase of ["prepare (", "hold (", "seal ("]) {
    const killed = await command(["create", ...mounts(volumes)], {
      onStderr: (text, child) => {
        if (text.includes(phase)) child.kill("SIGKILL");
      },
    });
    assert.equal(killed.exitCode, null, killed.stderr);
    // A write succeeds before anything is undone: the keeper has released.
    for (const { mount } of volumes) {
      writeFileSync(`${mount}/file`, phase);
      run("sync", ["-f", mount]);
    }
    const recovered = await command(["recover", "--yes"]);
    assert.equal(recovered.exitCode, 0, recovered.stderr);
    assert.equal(stateOf(vg), before, phase);
  }
  checkAll(vg, volumes);
});
