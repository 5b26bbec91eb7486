import type { Context, Snapshot } from "holdstill/plugin";
import { end } from "./exposure.js";
import { pathOf, readVolumes } from "./logical-volume.js";
import { lvm } from "./lvm.js";
import type { Options } from "./options.js";
import { Refusal } from "./refusal.js";
import { findWhole } from "./snapshot.js";

/** Puts the picture in place of its origin: LVM's merge, which uses the snapshot up. */
export async function revert(snapshot: Snapshot, ctx: Context<Options>): Promise<void> {
  const all = await readVolumes(ctx);
  const own = findWhole(snapshot, all);
  const { volume } = own;
  const origin = all.find(({ vg, name }) => vg.uuid === volume.vg.uuid && name === volume.origin);
  if (own.role === "fork" || origin === undefined) {
    throw new Refusal("UNSUPPORTED", `${snapshot.id} has no origin to go back to.`, "Expose it, and copy from it.");
  }
  if (origin.isOpen && ctx.options.revert === "refuse") {
    const hint = "Unmount it first, or set the option `revert` to on-activation.";
    throw new Refusal("BUSY", `${pathOf(origin)} is in use.`, hint);
  }
  await end(own, all, ctx);
  await lvm(ctx, "lvconvert", ["--merge", "--yes", "--interval", "1", pathOf(volume)]);
}
