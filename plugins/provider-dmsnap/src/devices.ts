import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import path from "node:path";

/** A device-mapper device as the kernel shows it in /sys (Documentation/ABI/testing/sysfs-block-dm). */
export interface Mapped {
  /** Device-mapper name. */
  readonly name: string;
  /** Empty where it has none. */
  readonly uuid: string;
  /** major:minor, as tables name it. */
  readonly number: string;
  readonly node: string;
  readonly state: "active" | "suspended";
  /** Size in sectors of 512 bytes. */
  readonly sectors: number;
}

const block = "/sys/class/block";

export function mappedDevices(): Mapped[] {
  return readdirSync(block).flatMap((kernel) => readMapped(kernel) ?? []);
}

export function findByName(name: string): Mapped | undefined {
  return mappedDevices().find((device) => device.name === name);
}

export function findByUuid(uuid: string): Mapped | undefined {
  return mappedDevices().find((device) => device.uuid === uuid);
}

/** The device of a node in /dev, as `major:minor`; undefined for what is none. */
export function numberOf(node: string): string | undefined {
  const stat = statSync(node, { throwIfNoEntry: false });
  return stat?.isBlockDevice() === true ? formatNumber(stat.rdev) : undefined;
}

/** Bytes; sysfs counts in sectors of 512 whatever the device's own (block/genhd.c). */
export function bytesOf(number: string): number {
  return Number(readFileSync(`/sys/dev/block/${number}/size`, "utf8")) * 512;
}

/** A device and all that it lies on, by kernel name; below a loop device also what its file lies on. */
export function devicesBelow(number: string): string[] {
  const entry = `/sys/dev/block/${number}`;
  if (!existsSync(entry)) return [];
  const dir = realpathSync(entry);
  const below = new Set([path.basename(dir)]);
  if (existsSync(path.join(dir, "partition"))) below.add(path.basename(path.dirname(dir)));
  const slaves = path.join(dir, "slaves");
  for (const slave of existsSync(slaves) ? readdirSync(slaves) : []) {
    for (const name of devicesBelow(readFileSync(path.join(block, slave, "dev"), "utf8").trim())) below.add(name);
  }
  const backing = path.join(dir, "loop/backing_file");
  if (existsSync(backing)) for (const name of devicesOfFile(readFileSync(backing, "utf8").trim())) below.add(name);
  return [...below];
}

/** Those that a file or folder lies on; none for what is in memory. */
function devicesOfFile(file: string): string[] {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat === undefined ? [] : devicesBelow(formatNumber(stat.dev));
}

/** glibc's gnu_dev_major and gnu_dev_minor (sys/sysmacros.h), for numbers below 2^32. */
export function formatNumber(dev: number): string {
  return `${(dev >>> 8) & 0xfff}:${(dev & 0xff) | ((dev >>> 12) & 0xfff00)}`;
}

/** It may vanish while we look. */
function readMapped(kernel: string): Mapped | undefined {
  const dir = path.join(block, kernel);
  const read = (file: string): string => readFileSync(path.join(dir, file), "utf8").replace(/\n$/, "");
  try {
    return {
      name: read("dm/name"),
      uuid: read("dm/uuid"),
      number: read("dev"),
      node: `/dev/${kernel}`,
      state: read("dm/suspended") === "1" ? "suspended" : "active",
      sectors: Number(read("size")),
    };
  } catch {
    return undefined;
  }
}
