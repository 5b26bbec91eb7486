import type { Context, Volume } from "holdstill/plugin";
import { mountOnce } from "#kit/mount-once.js";
import { innerPath } from "#kit/paths.js";
import { readOnce } from "#kit/read-once.js";
import { closeDecrypted, cryptOf, openDecrypted } from "./crypt.js";
import type { LogicalVolume } from "./logical-volume.js";
import type { Own } from "./ownership.js";
import { close, open, openedDevice } from "./snapshot-device.js";

/**
 * Mounts a snapshot once, read-only, so that nothing is promised of one that cannot be opened: LVM may be configured not to activate
 * it, and a captured path may have become a link. Of other file systems, only the device is opened; of a raw device, its ends are read.
 *
 * @throws PluginError MOUNT, TARGET_CHANGED, UNREADABLE, LVM_FAILED, DMSETUP_FAILED
 */
export async function assertOpens(
  own: Own,
  volume: Volume,
  all: readonly LogicalVolume[],
  ctx: Context,
): Promise<void> {
  await open(own, "r", all, ctx);
  try {
    const snapshot = openedDevice(own);
    const crypt = cryptOf(volume);
    const device = crypt === null ? snapshot : await openDecrypted(own, crypt, snapshot, "r", ctx);
    if (volume.kind === "block") return await readOnce(device, ctx);
    const captured = volume.paths.map((original) => ({ original, inner: innerPath(original, volume) }));
    await mountOnce(device.node, volume.fsType, captured, own.volume.uuid, ctx);
  } finally {
    await closeDecrypted(own, ctx);
    await close(own, ctx);
  }
}
