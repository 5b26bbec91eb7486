import { statSync } from "node:fs";
import type { Context, FileSystemVolume } from "holdstill/plugin";
import { mountsOf, readMounts } from "#kit/mounts.js";
import { beside } from "#kit/whole-device.js";
import { PluginError } from "./errors.js";
import { kubeletVolume } from "./kubelet.js";
import type { MappedVolume, Options } from "./options.js";

/** A volume of the driver, and how the driver publishes it here: mounted, or as a block device whose file system is ours. */
export interface Source {
  readonly volumeId: string;
  readonly access: "mount" | "block";
}

/** Their clone would have the same id, which the kernel takes for another device of the same file system. */
const notBesideItself = ["btrfs"];

/** Which volume of the driver a file system is on: by the config, then by the kubelet; null: on none. */
export function sourceOf(volume: FileSystemVolume, { options }: Pick<Context<Options>, "options">): Source | null {
  const number = volume.devices[0]?.number;
  const mapped = options.volumes.find((one) => isOn(volume, number, one));
  if (mapped !== undefined) return { volumeId: mapped.volumeId, access: "mount" in mapped ? "mount" : "block" };
  if (options.driver === undefined || number === undefined) return null;
  const volumeId = kubeletVolume(mountsOf([number]), options.kubelet, options.driver);
  return volumeId === null ? null : { volumeId, access: "mount" };
}

function isOn({ mountPoint }: FileSystemVolume, number: string | undefined, mapped: MappedVolume): boolean {
  if ("device" in mapped) return number !== undefined && numberOf(mapped.device) === number;
  if (mapped.mount === mountPoint) return true;
  return readMounts().some((mount) => mount.point === mapped.mount && mount.number === number);
}

/** major:minor of a block device (makedev(3)); null: it is not there. */
export function numberOf(device: string): string | null {
  const status = statSync(device, { throwIfNoEntry: false });
  if (status?.isBlockDevice() !== true) return null;
  const { rdev } = status;
  return `${(rdev >> 8) & 0xfff}:${(rdev & 0xff) | ((rdev >> 12) & 0xfff00)}`;
}

/** Refuses what could not be held, or whose snapshot could not be mounted. @throws PluginError UNSUPPORTED */
export function assertCapturable({ mountPoint, fsType, devices: [top] }: FileSystemVolume): void {
  const obstacle =
    top === undefined
      ? "it has no block device, so the kernel cannot hold it"
      : notBesideItself.includes(fsType)
        ? `a copy of ${fsType} cannot be mounted beside the original`
        : beside({ number: top.number, node: `/dev/${top.name}` }, fsType);
  if (obstacle === null) return;
  const message = `${mountPoint} cannot be captured by its CSI driver: ${obstacle}.`;
  throw new PluginError("UNSUPPORTED", message, "Name a provider before this one in the config that copies.");
}
