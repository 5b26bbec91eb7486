import type { Context, Volume } from "holdstill/plugin";
import { dmsetup } from "#kit/dmsetup.js";
import { findByName, type MappedDevice } from "#kit/mapped-devices.js";
import { type LogicalVolume, pathOf } from "./logical-volume.js";
import { activeDevice, deviceName, deviceUuid, expect, removeDevice } from "./mapper.js";
import type { Own } from "./ownership.js";
import { PluginError } from "./errors.js";

/*
 * Encryption (LUKS, or plain dm-crypt) between a file system and its logical volume. What is captured is the volume, as it is on
 * the disk. Its snapshot is exposed through a second device with the table, and so the key, of the first: that one must be open, and
 * its key must be in the table. The key goes through dmsetup's standard input, and is never on disk.
 */

/** The target's parameters (Documentation/admin-guide/device-mapper/dm-crypt.rst): cipher, key, IV offset, device, start, … */
interface Table {
  readonly length: string;
  readonly cipher: string;
  readonly key: string;
  readonly offset: string;
  readonly device: string;
  readonly rest: string;
}

/** Device-mapper name of the encryption below a file system; null: it is not encrypted. */
export function cryptOf({ devices: [top] }: Pick<Volume, "devices">): string | null {
  return top?.kind === "crypt" ? (top.label ?? null) : null;
}

/** The decrypted snapshot, while it is exposed. */
export const decryptedDeviceOf = ({ volume }: Own): MappedDevice | undefined => activeDevice(volume, "clear");

/**
 * Checks that the snapshot can be exposed later.
 *
 * @throws PluginError UNSUPPORTED
 */
export async function assertKey(crypt: string, origin: LogicalVolume, ctx: Context): Promise<void> {
  const table = await tableOf(crypt, ctx);
  const hint = `Open it so that the key is in its table: cryptsetup open --disable-keyring /dev/${pathOf(origin)} ${crypt}`;
  const refuse = (reason: string): never => {
    throw new PluginError("UNSUPPORTED", `${pathOf(origin)} is encrypted, and ${reason}.`, hint);
  };
  if (table === null) return refuse(`${crypt} above it is not a single crypt target`);
  // A reference to the kernel's keyring (dm-crypt.c, crypt_set_keyring_key), which only cryptsetup itself can use.
  if (table.key.startsWith(":")) return refuse(`its key is in a kernel keyring, so its snapshot could not be exposed`);
}

/**
 * Makes a device with the decrypted contents of another.
 *
 * @throws PluginError MOUNT if the device with the key is no longer open.
 */
export async function openDecrypted(
  own: Own,
  crypt: string,
  below: MappedDevice,
  permission: "r" | "rw",
  ctx: Context,
): Promise<MappedDevice> {
  const origin = deviceName({ vg: own.volume.vg, name: own.volume.origin ?? own.of ?? "" });
  const table = findByName(crypt) === undefined ? null : await tableOf(crypt, ctx);
  if (table === null || table.key.startsWith(":") || !isOn(table, own, origin)) {
    const message = `The snapshot is encrypted, and ${crypt}, which has its key, is not open.`;
    throw new PluginError("MOUNT", message, `Open it with --disable-keyring, or the snapshot itself: cryptsetup open.`);
  }
  const { length, cipher, key, offset, rest } = table;
  const copy = `0 ${length} crypt ${cipher} ${key} ${offset} ${below.number} ${rest}`;
  const readOnly = permission === "r" ? ["--readonly"] : [];
  // LVM's UUID with a layer's name: udev then makes no link by the file system's UUID, which is the origin's too.
  const name = deviceName(own.volume, "clear");
  await dmsetup(ctx, ["create", name, "--uuid", deviceUuid(own.volume, "clear"), ...readOnly], copy);
  return expect(name);
}

/** Idempotent. */
export async function closeDecrypted(own: Own, ctx: Context): Promise<void> {
  await removeDevice(decryptedDeviceOf(own), ctx);
}

/** A fork refers only to its snapshot, and a snapshot that was reverted to no longer has an origin. */
function isOn({ device }: Table, { role }: Own, origin: string): boolean {
  return role === "fork" || findByName(origin)?.number === device;
}

async function tableOf(crypt: string, ctx: Context): Promise<Table | null> {
  const lines = (await dmsetup(ctx, ["table", "--showkeys", crypt])).split("\n");
  const [, length, cipher, key, offset, device, rest] =
    /^0 (\d+) crypt (\S+) (\S+) (\d+) (\d+:\d+) (.+)$/.exec(lines[0] ?? "") ?? [];
  if (lines.length !== 1 || !length || !cipher || !key || !offset || !device || !rest) return null;
  return { length, cipher, key, offset, device, rest };
}
