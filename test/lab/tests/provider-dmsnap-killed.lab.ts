/** The command line is killed while provider-dmsnap works for it. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import test from "node:test";
import { commandLine } from "../support/command-line.js";
import { MappedDisk, state } from "../support/mapped-disk.js";
import { run } from "../support/volume-group.js";

const plugins = [{ use: "provider-dmsnap", options: { size: "16M" } }];

test("killed in prepare, hold or seal, nothing stays suspended, and recover leaves nothing", async (t) => {
  const data = new MappedDisk(t).volume("data", "ext4");
  const command = commandLine(t, plugins);
  const before = state();
  for (const phase of ["prepare (", "hold (", "seal ("]) {
    const killed = await command(["create", data.mount], {
      onStderr: (text, child) => {
        if (text.includes(phase)) child.kill("SIGKILL");
      },
    });
    assert.equal(killed.exitCode, null, killed.stderr);
    // A write succeeds before anything is undone: the keeper has released.
    writeFileSync(`${data.mount}/file`, phase);
    run("sync", ["-f", data.mount]);
    const recovered = await command(["recover", "--yes"]);
    assert.equal(recovered.exitCode, 0, recovered.stderr);
    assert.deepEqual([state(), run("losetup", ["--list"])], [before, ""], phase);
  }
});
