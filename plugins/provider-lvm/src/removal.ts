import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "holdstill/plugin";
import { findByName } from "#kit/mapped-devices.js";
import { PluginError } from "./errors.js";
import { end } from "./exposure.js";
import { type LogicalVolume, pathOf } from "./logical-volume.js";
import { lvm } from "./lvm.js";
import { deviceName } from "./mapper.js";
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
      if (!isThin(own.volume)) await assertNotHeld(own.volume);
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

/** How long a hold of another set may last, ms: it ends sooner. */
const PATIENCE = 5_000;

/** To remove a thick snapshot, LVM suspends and resumes its origin: that would end the hold of another program. */
async function assertNotHeld({ vg, origin }: LogicalVolume): Promise<void> {
  if (origin === null) return;
  const name = deviceName({ vg, name: origin });
  const deadline = Date.now() + PATIENCE;
  while (findByName(name)?.state === "suspended") {
    if (Date.now() > deadline) {
      const message = `${name} is suspended by another program, so its snapshot is not removed.`;
      throw new PluginError("BUSY", message, `When that has ended (dmsetup resume ${name}): holdstill recover.`);
    }
    await sleep(50);
  }
}
