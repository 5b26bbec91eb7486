/** The space of LVM's snapshots is monitored while a command reads them. */
import assert from "node:assert/strict";
import test from "node:test";
import type { SnapshotSet } from "holdstill/plugin";
import { LeasedCommand } from "../../support/process/leased-command.js";
import { commandLineWith, configFile } from "../support/command-line.js";
import { pour, pourUntil } from "../support/filling.js";
import { VolumeGroup } from "../support/volume-group.js";

test("run warns while its command runs: of a thick snapshot that fills up, of one that overflows, and of a pool", async (t) => {
  const vg = new VolumeGroup(t);
  vg.pool("pool", 100);
  const thick = vg.thick("thick", "ext4", 96);
  const thin = vg.thin("pool", "thin", "ext4", 128);
  const plugins = [{ use: "provider-lvm", options: { size: "16M" } }];
  const config = configFile(t, plugins, { usageInterval: "1s" });
  const command = commandLineWith(t, config);
  const kept = new LeasedCommand(t, ["run", "--config", config, thick.mount, thin.mount, "--", "cat"]);
  await kept.printed("is below");
  const of = (name: string): RegExp => new RegExp(`space of snapshot ${vg.name}/${name}-holdstill-.*E_SPACE_LOW`, "g");
  assert.doesNotMatch(kept.stderr, /warning/);
  await pourUntil(kept, "E_SPACE_LOW", thick.mount, 10);
  pour(`${thin.mount}/much`, 84);
  await kept.printed(`${vg.name}/pool, is `);
  pour(`${thick.mount}/more`, 20);
  await kept.printed("E_SNAPSHOT_LOST");
  assert.equal(await kept.end(), 5, `the command read a snapshot that was lost meanwhile:\n${kept.stderr}`);
  for (const name of ["thick", "thin"]) assert.equal(kept.stderr.match(of(name))?.length, 1, kept.stderr);
  assert.match(kept.stderr, /can no longer be read: it overflowed\. \(E_SNAPSHOT_LOST\)/);
  t.diagnostic(
    kept.stderr
      .split("\n")
      .filter((line) => line.includes("warning"))
      .join("\n"),
  );
  const { sets } = (await command(["list", "--json"])).json() as { sets: SnapshotSet[] };
  assert.deepEqual(sets, []);
});
