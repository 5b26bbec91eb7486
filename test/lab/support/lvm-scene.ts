import { mkdirSync, writeFileSync } from "node:fs";
import type { TestContext } from "node:test";
import { type LvmSets, lvmSets } from "./lvm-set.js";
import { type MountedVolume, VolumeGroup } from "./volume-group.js";

export interface LvmScene {
  sets: LvmSets;
  vg: VolumeGroup;
  thick: MountedVolume;
  thin: MountedVolume;
}

/** XFS on a thick volume and ext4 on a thin one, each with a file that has not reached the disk yet. */
export function lvmScene(t: TestContext): LvmScene {
  const vg = new VolumeGroup(t);
  vg.pool("pool", 200);
  const [thick, thin] = [vg.thick("thick", "xfs", 320), vg.thin("pool", "thin", "ext4", 64)];
  for (const { mount } of [thick, thin]) {
    mkdirSync(`${mount}/srv`);
    writeFileSync(`${mount}/srv/file`, "precious\n");
  }
  return { sets: lvmSets(t), vg, thick, thin };
}
