/** Changed blocks of thin volumes by the command line, and by the suite that vendors run. */
import assert from "node:assert/strict";
import { realpathSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { checkPlugin } from "holdstill/conformance";
import type { DiffDocument } from "#core/base/schema/types.js";
import { repository } from "../../support/repository.js";
import { commandLineWith, configFile } from "../support/command-line.js";
import { run, VolumeGroup } from "../support/volume-group.js";

test("diff of two sets by the command line names the devices to read", async (t) => {
  const vg = new VolumeGroup(t);
  vg.pool("pool", 200);
  const device = vg.rawThin("pool", "vm-1", 16);
  const command = commandLineWith(t, configFile(t, [{ use: "provider-lvm" }]));
  for (const name of ["first", "second"]) {
    run("dd", ["if=/dev/urandom", `of=${device}`, "bs=64K", "count=1", "oflag=direct", "status=none"]);
    const created = await command(["create", device, "--name", name]);
    assert.equal(created.exitCode, 0, created.stdout + created.stderr);
  }
  const [volume] = ((await command(["diff", "first", "second", "--json"])).json() as DiffDocument).volumes;
  assert.equal(volume?.state, "compared", JSON.stringify(volume));
  const exposed = await command(["expose", "second", "-q"]);
  assert.equal(realpathSync(volume.to), realpathSync(exposed.stdout.trim()));
  for (const name of ["first", "second"]) await command(["delete", name, "--yes"]);
});

test("provider-lvm passes the check of the suite for changed blocks, on a file system and on a raw volume", async (t) => {
  const vg = new VolumeGroup(t);
  vg.pool("pool", 200);
  const { mount } = vg.thin("pool", "files", "ext4", 64);
  const fixture = { targets: [mount], devices: [vg.rawThin("pool", "vm-1")], limitSeconds: 60 };
  const only = ["diff-names-all-changes"];
  const { checks } = await checkPlugin(path.join(repository, "plugins/provider-lvm"), {
    fixture,
    only,
    runtimes: ["thread"],
  });
  assert.deepEqual(
    checks.filter(({ status }) => status === "failed"),
    [],
  );
  assert.equal(checks.find(({ name }) => name === only[0])?.status, "passed");
});
