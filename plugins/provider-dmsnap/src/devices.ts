import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import { SECTOR } from "#kit/mapped-devices.js";

/** The device of a node in /dev, as `major:minor`; undefined if it is not a block device. */
export function numberOf(node: string): string | undefined {
  const stat = statSync(node, { throwIfNoEntry: false });
  return stat?.isBlockDevice() === true ? formatNumber(stat.rdev) : undefined;
}

export function bytesOf(number: string): number {
  return Number(readFileSync(`/sys/dev/block/${number}/size`, "utf8")) * SECTOR;
}

/** A device and all devices below it, by kernel name; below a loop device also what its file is on. */
export function devicesBelow(number: string): string[] {
  const entry = `/sys/dev/block/${number}`;
  if (!existsSync(entry)) return [];
  const dir = realpathSync(entry);
  const below = new Set([path.basename(dir)]);
  if (existsSync(path.join(dir, "partition"))) below.add(path.basename(path.dirname(dir)));
  const slaves = path.join(dir, "slaves");
  for (const slave of existsSync(slaves) ? readdirSync(slaves) : []) {
    const slaveNumber = readFileSync(path.join("/sys/class/block", slave, "dev"), "utf8").trim();
    for (const name of devicesBelow(slaveNumber)) below.add(name);
  }
  const backing = path.join(dir, "loop/backing_file");
  if (existsSync(backing)) for (const name of devicesOfFile(readFileSync(backing, "utf8").trim())) below.add(name);
  return [...below];
}

/** Those that a file or folder is on; none for what is in memory. */
function devicesOfFile(file: string): string[] {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat === undefined ? [] : devicesBelow(formatNumber(stat.dev));
}

/** glibc's gnu_dev_major and gnu_dev_minor (sys/sysmacros.h), for numbers below 2^32. */
export function formatNumber(dev: number): string {
  return `${(dev >>> 8) & 0xfff}:${(dev & 0xff) | ((dev >>> 12) & 0xfff00)}`;
}
