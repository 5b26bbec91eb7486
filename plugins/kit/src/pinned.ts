import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { type Mount, parseMounts } from "./mounts.js";
import { PluginError } from "./plugin-error.js";

/** A process in another mount namespace that has a copy of a mount: the namespace was made while that was mounted. */
export interface Pin {
  readonly pid: number;
  readonly command: string;
  readonly point: string;
}

/**
 * Who keeps the devices with these numbers mounted elsewhere; one process for each namespace (mount_namespaces(7)).
 *
 * @param isMeant Of their mounts, which count. Default: all.
 */
export function pinsOf(numbers: readonly string[], isMeant: (mount: Mount) => boolean = () => true): Pin[] {
  const seen = new Set([textOf(() => readlinkSync("/proc/self/ns/mnt"))]);
  return readdirSync("/proc").flatMap((pid): Pin[] => {
    if (!/^\d+$/.test(pid)) return [];
    const namespace = textOf(() => readlinkSync(`/proc/${pid}/ns/mnt`));
    if (namespace === "" || seen.has(namespace)) return [];
    seen.add(namespace);
    const mounts = parseMounts(textOf(() => readFileSync(`/proc/${pid}/mountinfo`, "utf8")));
    const mount = mounts.find((one) => numbers.includes(one.number) && isMeant(one));
    if (mount === undefined) return [];
    const command = textOf(() => readFileSync(`/proc/${pid}/comm`, "utf8")).trim();
    return [{ pid: Number(pid), command, point: mount.point }];
  });
}

/**
 * For a device that cannot be removed although nothing mounts it here.
 *
 * @throws PluginError BUSY, with the processes and the command that ends it.
 */
export function assertUnpinned(
  what: string,
  numbers: readonly string[],
  isMeant: (mount: Mount) => boolean = () => true,
): void {
  const pins = pinsOf(numbers, isMeant);
  const [first] = pins;
  if (first === undefined) return;
  const processes = pins.map(({ pid, command }) => `${command} (process ${pid})`).join(", ");
  const message = `${what} is still mounted in the mount namespace of ${processes}.`;
  const hint = `nsenter --mount --target ${first.pid} umount ${first.point}; or end the process.`;
  throw new PluginError("BUSY", message, hint);
}

/** Empty: the process ended meanwhile, or is another user's. */
function textOf(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}
