import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

/** A device-mapper device as the kernel shows it in /sys (Documentation/ABI/testing/sysfs-block-dm). */
export interface MappedDevice {
  /** Device-mapper name. */
  readonly name: string;
  /** Empty if it has none. */
  readonly uuid: string;
  /** major:minor, as tables name it. */
  readonly number: string;
  /** The kernel makes this node itself. Those with a name come later, from udev. */
  readonly node: string;
  readonly state: "active" | "suspended";
  /** Size in sectors of 512 bytes. */
  readonly sectors: number;
}

/** Unit of sizes in sysfs and in tables, bytes, whatever the device's own sector size is (block/genhd.c). */
export const SECTOR = 512;

const BLOCK = "/sys/class/block";

/** All of them. A device that never had a table is not in /sys (dm.c, dm_setup_md_queue). */
export function mappedDevices(): MappedDevice[] {
  return readdirSync(BLOCK).flatMap((kernelName) => read(kernelName) ?? []);
}

export function findByName(name: string): MappedDevice | undefined {
  return mappedDevices().find((device) => device.name === name);
}

export function findByUuid(uuid: string): MappedDevice | undefined {
  return mappedDevices().find((device) => device.uuid === uuid);
}

/** The device-mapper devices directly above this one. */
export function holdersOf({ node }: MappedDevice): MappedDevice[] {
  const holders = readdirSync(path.join(BLOCK, path.basename(node), "holders"));
  return holders.flatMap((kernelName) => read(kernelName) ?? []);
}

/** Whether it can be written to (Documentation/ABI/stable/sysfs-block, ro). */
export function accessOf({ node }: MappedDevice): "read-only" | "read-write" {
  return readFileSync(path.join(BLOCK, path.basename(node), "ro"), "utf8").trim() === "1" ? "read-only" : "read-write";
}

/** Has udev look at the device again, as after any change (Documentation/ABI/testing/sysfs-uevent). */
export function announceChange({ node }: MappedDevice): void {
  writeFileSync(path.join(BLOCK, path.basename(node), "uevent"), "change");
}

/** undefined: not a device-mapper device, or it was removed meanwhile. */
function read(kernelName: string): MappedDevice | undefined {
  const field = (file: string): string => readFileSync(path.join(BLOCK, kernelName, file), "utf8").replace(/\n$/, "");
  try {
    return {
      name: field("dm/name"),
      uuid: field("dm/uuid"),
      number: field("dev"),
      node: `/dev/${kernelName}`,
      state: field("dm/suspended") === "1" ? "suspended" : "active",
      sectors: Number(field("size")),
    };
  } catch {
    return undefined;
  }
}
