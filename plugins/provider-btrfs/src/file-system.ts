import { readdirSync, realpathSync } from "node:fs";
import path from "node:path";
import type { Context, FileSystemVolume } from "holdstill/plugin";
import { type Mount, readMounts } from "#kit/mounts.js";
import { innerPath, isWithin } from "#kit/paths.js";
import { btrfs } from "./btrfs.js";
import { PluginError } from "./errors.js";

/** Where the kernel lists the mounted btrfs file systems, a folder for each UUID (Documentation/ABI/testing/sysfs-fs-btrfs). */
export const SYSFS = "/sys/fs/btrfs";

/** A btrfs that is mounted. */
export interface FileSystem {
  readonly uuid: string;
  /** major:minor in mountinfo: the same for all its mounts, unlike in stat(2). */
  readonly number: string;
  /** One of its devices. */
  readonly source: string;
  readonly access: Mount["access"];
  /** Without those of this plugin's own. */
  readonly mounts: readonly Mount[];
}

/** Where this plugin mounts the top of a file system while it works. */
export const topsOf = ({ dataDir }: Pick<Context, "dataDir">): string => path.join(dataDir, "top");

/** Every btrfs that is mounted in this mount namespace, by another than this plugin. */
export async function mountedFileSystems(ctx: Pick<Context, "dataDir" | "exec">): Promise<FileSystem[]> {
  const all = readMounts().filter(({ fsType, point }) => fsType === "btrfs" && !isWithin(point, topsOf(ctx)));
  const numbers = [...new Set(all.map(({ number }) => number))];
  return Promise.all(
    numbers.map(async (number) => {
      const mounts = all.filter((mount) => mount.number === number);
      const [first] = mounts as [Mount, ...Mount[]];
      const access = first.options.includes("ro") ? "read-only" : "read-write";
      return { uuid: await uuidOf(first, ctx), number, source: first.source, access, mounts };
    }),
  );
}

/** The file system of a volume, and the mount that its paths are reached by. @throws PluginError CHANGED */
export async function fileSystemOf(
  { mountPoint }: Pick<FileSystemVolume, "mountPoint">,
  ctx: Pick<Context, "dataDir" | "exec">,
): Promise<{ fs: FileSystem; mount: Mount }> {
  const mount = readMounts().findLast(({ point }) => point === mountPoint);
  const fs = (await mountedFileSystems(ctx)).find(({ number }) => number === mount?.number);
  if (fs !== undefined && mount !== undefined) return { fs, mount };
  throw new PluginError("CHANGED", `No btrfs is mounted at ${mountPoint} now.`, "Run the command again.");
}

/** A captured path as seen from the root of its subvolume; empty: the subvolume itself. */
export function innerOf(captured: string, { root }: Pick<FileSystemVolume, "root">, mount: Mount): string {
  return path.relative(root, innerPath(captured, { mountPoint: mount.point, root: mount.root }));
}

async function uuidOf({ source, point }: Mount, ctx: Pick<Context, "exec">): Promise<string> {
  const device = deviceNameOf(source);
  const known = namesIn(SYSFS).find((uuid) => namesIn(path.join(SYSFS, uuid, "devices")).includes(device));
  if (known !== undefined) return known;
  // Such as /dev/root, of a kernel that has no initramfs.
  const [, uuid] = /\buuid: ([0-9a-f-]{36})$/m.exec(await btrfs(ctx, ["filesystem", "show", point])) ?? [];
  if (uuid !== undefined) return uuid;
  throw new PluginError("UNSUPPORTED", `The btrfs at ${point} does not report its UUID.`, "btrfs filesystem show");
}

/** As in /sys, where a slash in a name is an exclamation mark. */
function deviceNameOf(source: string): string {
  try {
    return path.relative("/dev", realpathSync(source)).replaceAll("/", "!");
  } catch {
    return path.basename(source);
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
