import type { CommitOp, Context } from "holdstill/plugin";
import { dmsetup } from "#kit/dmsetup.js";
import { type LogicalVolume, pathOf } from "./logical-volume.js";
import { deviceName } from "./mapper.js";
import { PluginError } from "./errors.js";

/**
 * LVM makes an ordinary, inactive snapshot in prepare, and knows it by a number in the pool. Then the pool forgets that number, and
 * the commit gives it out again, for the snapshot of that instant. A command that activates the volume meanwhile fails.
 */
export async function prepareThin(snapshot: LogicalVolume, origin: LogicalVolume, ctx: Context): Promise<CommitOp[]> {
  const { pool, thinId } = snapshot;
  if (pool === null || thinId === null || origin.thinId === null || snapshot.isActive) throw unexpected(snapshot);
  const device = poolDevice(snapshot, pool);
  await dmsetup(ctx, ["message", device, "0", `delete ${thinId}`]);
  return [{ op: "dm-message", device, message: `create_snap ${thinId} ${origin.thinId}` }];
}

/**
 * Before LVM removes one that has not been sealed. The pool forgets its number, if it knows it: an lvcreate that was killed may have
 * given out the number without LVM knowing that, and then every LVM command would fail because of it.
 */
export async function disarmThin({ vg, pool, thinId }: LogicalVolume, ctx: Context): Promise<void> {
  if (pool === null || thinId === null) return;
  await ctx.exec("dmsetup", ["message", poolDevice({ vg }, pool), "0", `delete ${thinId}`]);
}

const poolDevice = ({ vg }: Pick<LogicalVolume, "vg">, pool: string): string => deviceName({ vg, name: pool }, "tpool");

function unexpected(snapshot: LogicalVolume): PluginError {
  const message = `${pathOf(snapshot)} is not an ordinary thin snapshot.`;
  return new PluginError("CHANGED", message, "`lvs -a` shows what it is. Take the set again.");
}
