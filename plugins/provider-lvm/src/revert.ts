import type { Context, Snapshot, Transaction } from "holdstill/plugin";
import { holdersOf } from "#kit/mapped-devices.js";
import { end } from "./exposure.js";
import { type LogicalVolume, pathOf, readVolumes } from "./logical-volume.js";
import { lvm } from "./lvm.js";
import { activeDevice } from "./mapper.js";
import type { Options } from "./options.js";
import { isThin, poolOf } from "./origin.js";
import { type Own, ownOf, snapshotName, tag, tagged } from "./ownership.js";
import { PluginError } from "./errors.js";
import { findWhole, toSnapshot } from "./snapshot.js";
import { assertSpace, spaceBeside } from "./space.js";

/** Puts the snapshot in place of its origin by LVM's merge, which uses the snapshot up. */
export async function revert(snapshot: Snapshot, ctx: Context<Options>): Promise<void> {
  const all = await readVolumes(ctx);
  const { own } = await revertible(snapshot, all, ctx);
  await end(own, all, ctx);
  await lvm(ctx, "lvconvert", ["--merge", "--yes", "--interval", "1", pathOf(own.volume)]);
}

/** An ordinary snapshot of the origin as it is now. The origin is not in use, unless its revert is left to the next activation. */
export async function preserve(snapshot: Snapshot, tx: Transaction, ctx: Context<Options>): Promise<Snapshot> {
  const all = await readVolumes(ctx);
  const { own, origin } = await revertible(snapshot, all, ctx);
  const taken = new Set(all.filter(({ vg }) => vg.uuid === origin.vg.uuid).map(({ name }) => name));
  const name = snapshotName(origin, tx.id, taken);
  const tags = [
    tag.role("snapshot"),
    tag.set(tx.id),
    tag.id(pathOf({ vg: origin.vg, name })),
    tag.captured(own.captured),
    ...tag.kind(own.kind),
    tag.cut(new Date().toISOString()),
  ];
  const size = spaceFor(own, origin, all, ctx);
  const args = [
    "--yes",
    "--snapshot",
    "--permission",
    "r",
    "--ignoremonitoring",
    ...size,
    "--name",
    name,
    ...tagged(tags),
  ];
  await lvm(ctx, "lvcreate", [...args, pathOf(origin)]);
  const made = (await readVolumes(ctx)).find(({ vg, name: its }) => vg.uuid === origin.vg.uuid && its === name);
  const kept = made === undefined ? null : ownOf(made);
  if (kept === null)
    throw new PluginError("CHANGED", `${name} was removed meanwhile.`, "Another LVM command may have removed it.");
  const described = toSnapshot(kept);
  return { ...described, facts: { ...snapshot.facts, ...described.facts } };
}

/** @throws PluginError NO_SAFETY */
function spaceFor(own: Own, origin: LogicalVolume, all: readonly LogicalVolume[], ctx: Context<Options>): string[] {
  try {
    const pool = poolOf(origin, all);
    if (isThin(origin) && pool !== null) assertSpace(pool, ctx.options, ctx);
    return isThin(origin) ? [] : ["--size", `${spaceBeside(own.volume, origin, ctx.options)}b`];
  } catch (error) {
    if (error instanceof PluginError) throw new PluginError("NO_SAFETY", error.message, error.hint);
    throw error;
  }
}

/** @throws PluginError UNSUPPORTED, BUSY, INVALID */
async function revertible(
  snapshot: Snapshot,
  all: readonly LogicalVolume[],
  ctx: Context<Options>,
): Promise<{ own: Own; origin: LogicalVolume }> {
  const own = await findWhole(snapshot, all, ctx);
  const { volume } = own;
  const origin = all.find(({ vg, name }) => vg.uuid === volume.vg.uuid && name === volume.origin);
  if (own.role === "fork" || origin === undefined) {
    throw new PluginError(
      "UNSUPPORTED",
      `${snapshot.id} has no origin to revert.`,
      "Copy its files back: holdstill restore.",
    );
  }
  if (origin.isOpen && ctx.options.revert === "refuse") {
    throw new PluginError("BUSY", `${pathOf(origin)} is in use.`, howToRelease(origin));
  }
  return { own, origin };
}

/** An open encryption keeps the volume in use while nothing is mounted. */
function howToRelease(origin: LogicalVolume): string {
  const device = activeDevice(origin);
  const holders = device === undefined ? [] : holdersOf(device);
  const open = holders.filter(({ uuid }) => uuid.startsWith("CRYPT-")).map(({ name }) => `cryptsetup close ${name}`);
  const release = open.length === 0 ? "unmount it" : `unmount it and run \`${open.join("; ")}\``;
  return `Stop what uses it, or ${release}, or set the option \`revert\` to on-activation.`;
}
