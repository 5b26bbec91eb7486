import type { LogicalVolume } from "./logical-volume.js";
import { PluginError } from "./errors.js";

/**
 * Refuses a volume group in which LVM would not make another volume. `plan` and `doctor` say so, before a transaction fails.
 *
 * @param volumes How many volumes are to be made in it.
 * @throws PluginError UNSUPPORTED
 */
export function assertGroup({ vg }: LogicalVolume, volumes: number, all: readonly LogicalVolume[]): void {
  const { name, uuid } = vg;
  const refuse = (reason: string, hint: string): never => {
    throw new PluginError("UNSUPPORTED", `Volume group ${name} takes no snapshots: ${reason}.`, hint);
  };
  if (all.some((other) => other.vg.name === name && other.vg.uuid !== uuid)) {
    refuse("another group has the same name", "Rename one of the two: vgs -o +vg_uuid, then vgrename UUID NAME");
  }
  if (vg.isReadOnly) refuse("it is read-only", `vgchange --permission rw, or look at why it is: vgs ${name}`);
  if (vg.missingDisks > 0) {
    refuse(
      `${vg.missingDisks} of its disks are missing`,
      `Attach them, or remove them: vgreduce --removemissing ${name}`,
    );
  }
  const { count, limit } = vg.volumes;
  if (limit > 0 && count + volumes > limit) {
    const hint = `Allow more: vgchange --logicalvolume ${limit + volumes} ${name}`;
    refuse(`it has ${count} volumes, and its limit is ${limit}`, hint);
  }
}
