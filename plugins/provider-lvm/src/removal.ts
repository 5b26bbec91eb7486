import type { Context } from "holdstill/plugin";
import { end } from "./exposure.js";
import { type LogicalVolume, pathOf } from "./logical-volume.js";
import { lvm } from "./lvm.js";
import { isThin } from "./origin.js";
import type { Own } from "./ownership.js";
import { disarmThick } from "./thick.js";
import { disarmThin } from "./thin.js";

/** Removes holdstill's volumes. One that cannot be removed does not stop the others. Returns the errors. */
export async function removeAll(ours: readonly Own[], all: readonly LogicalVolume[], ctx: Context): Promise<unknown[]> {
  const errors: unknown[] = [];
  // Layers are removed with the volume below them. A thick fork is on its snapshot.
  const forks = ours.filter(({ role }) => role === "fork");
  for (const own of [...forks, ...ours.filter(({ role }) => role === "snapshot")]) {
    try {
      await end(own, all, ctx);
      if (!isThin(own.volume)) await disarmThick(own.volume, ctx);
      else if (own.cutAt === null) await disarmThin(own.volume, ctx);
      await lvm(ctx, "lvremove", ["--yes", pathOf(own.volume)]);
    } catch (error) {
      errors.push(error);
    }
  }
  return errors;
}
