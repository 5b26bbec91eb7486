import type { Context, Snapshot } from "holdstill/plugin";
import { pathOf, readVolumes } from "./logical-volume.js";
import { lvm } from "./lvm.js";
import type { Options } from "./options.js";
import { isThin } from "./origin.js";
import { tag, tagged } from "./ownership.js";
import { Refusal } from "./refusal.js";
import { find, findWhole, toSnapshot } from "./snapshot.js";

/** A second, writable snapshot beside the first. Only thin ones: LVM takes no snapshot of a thick one. */
export async function fork(snapshot: Snapshot, ctx: Context<Options>): Promise<Snapshot> {
  const { volume, setId, captured, cutAt } = findWhole(snapshot, await readVolumes(ctx));
  if (!isThin(volume)) {
    const message = `${snapshot.id} is a thick snapshot, of which LVM can take none.`;
    throw new Refusal("UNSUPPORTED", message, "Use thin volumes, or let the application recover when it is restored.");
  }
  const name = `${volume.name}-fork`;
  const tags = [tag.role("fork"), tag.set(setId), tag.captured(captured), tag.of(volume.name), tag.cut(cutAt ?? "")];
  const args = ["--yes", "--snapshot", "--permission", "rw", "--setactivationskip", "y", "--ignoremonitoring"];
  await lvm(ctx, "lvcreate", [...args, "--name", name, ...tagged(tags), pathOf(volume)]);
  const made = find({ ...snapshot, id: `${volume.vg.name}/${name}`, facts: {} }, await readVolumes(ctx));
  if (made === null) throw new Refusal("CHANGED", `${name} is gone again.`, "Another LVM command may have removed it.");
  const told = toSnapshot(made);
  return { ...told, facts: { ...snapshot.facts, ...told.facts } };
}
