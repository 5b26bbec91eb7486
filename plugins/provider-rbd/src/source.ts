import { readdirSync, readFileSync, realpathSync } from "node:fs";
import path from "node:path";
import type { Context, FileSystemVolume } from "holdstill/plugin";
import { readMounts } from "#kit/mounts.js";
import type { ImageName } from "./messages.js";
import { rbd } from "./rbd.js";
import type { Options } from "./options.js";

/** How an image is a block device of this host. What is made from its snapshots is mapped in the same way. */
export type Way = "krbd" | "nbd" | "fuse";

export interface Source extends ImageName {
  readonly way: Way;
  /** The cluster that it is in; null: the way does not show it. */
  readonly fsid: string | null;
}

/** A snapshot that is mapped is read-only, and is not captured. */
const NO_SNAPSHOT = "-";

/** The image that a volume is directly on; null: it is on none. */
export async function sourceOf({ devices: [top] }: FileSystemVolume, ctx: Context<Options>): Promise<Source | null> {
  if (top === undefined) return null;
  if (/^rbd\d+$/.test(top.name)) return krbdImage(top.name);
  if (/^nbd\d+$/.test(top.name)) return nbdImage(top.name, ctx);
  return top.kind === "loop" && top.label !== undefined ? fuseImage(top.label, ctx) : null;
}

/** Every image that is mapped on this host in one of the ways. */
export async function mappedImages(ctx: Context<Options>): Promise<Source[]> {
  const names = readdirSync("/sys/block");
  const found = names.map(async (name) => {
    if (/^rbd\d+$/.test(name)) return krbdImage(name);
    if (/^nbd\d+$/.test(name)) return nbdImage(name, ctx);
    const file = name.startsWith("loop") ? textOf("/sys/block", name, "loop/backing_file") : null;
    return file === null ? null : fuseImage(file, ctx);
  });
  return (await Promise.all(found)).filter((image) => image !== null);
}

/** The kernel device of a mapped image, as /dev/rbd0; null: it is not mapped (Documentation/ABI/testing/sysfs-bus-rbd). */
export function krbdDevice({ pool, namespace, name }: ImageName): string | null {
  const device = readdirSync("/sys/block").find((one) => {
    const image = /^rbd\d+$/.test(one) ? krbdImage(one) : null;
    return image?.pool === pool && image.namespace === namespace && image.name === name;
  });
  return device === undefined ? null : `/dev/${device}`;
}

function krbdImage(device: string): Source | null {
  const fields = path.join("/sys/bus/rbd/devices", device.slice("rbd".length));
  const [pool, name, snapshot] = ["pool", "name", "current_snap"].map((field) => textOf(fields, field));
  // Older kernels map only images of the default namespace.
  const namespace = textOf(fields, "pool_ns") ?? "";
  if (typeof pool !== "string" || typeof name !== "string" || snapshot !== NO_SNAPSHOT) return null;
  return { pool, namespace, name, way: "krbd", fsid: textOf(fields, "cluster_fsid") };
}

interface NbdDevice {
  readonly pool: string;
  readonly namespace: string;
  readonly image: string;
  readonly snap: string;
  readonly device: string;
}

/** As `rbd device list --device-type nbd` has them; none where rbd-nbd is not installed. */
async function nbdDevices(ctx: Context<Options>): Promise<readonly NbdDevice[]> {
  if (!readdirSync("/sys/block").some((name) => textOf("/sys/block", name, "pid") !== null)) return [];
  const { exitCode, stdout } = await rbd(ctx, ["device", "list", "--device-type", "nbd", "--format", "json"]);
  return exitCode === 0 ? (JSON.parse(stdout || "[]") as NbdDevice[]) : [];
}

async function nbdImage(device: string, ctx: Context<Options>): Promise<Source | null> {
  const found = (await nbdDevices(ctx)).find((one) => one.device === `/dev/${device}`);
  if (found === undefined || found.snap !== NO_SNAPSHOT) return null;
  return { pool: found.pool, namespace: found.namespace, name: found.image, way: "nbd", fsid: null };
}

export async function nbdDevice(image: ImageName, ctx: Context<Options>): Promise<string | null> {
  const found = (await nbdDevices(ctx)).find(
    (one) => one.pool === image.pool && one.namespace === image.namespace && one.image === image.name,
  );
  return found?.device ?? null;
}

/** An image that rbd-fuse shows as a file. It has no namespaces. The pool is in its arguments (rbd-fuse(8)). */
function fuseImage(file: string, { options: { fuse } }: Context<Options>): Source | null {
  if (fuse === undefined) return null;
  const point = path.dirname(file);
  if (!readMounts().some((mount) => mount.fsType === "fuse.rbd-fuse" && mount.point === point)) return null;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const [program = "", ...args] = (textOf("/proc", pid, "cmdline") ?? "").split("\0");
    if (path.basename(program) !== "rbd-fuse") continue;
    if (!args.some((arg) => realOf(arg) === point)) continue;
    const at = args.findIndex((arg) => arg === "-p" || arg === "--poolname");
    return {
      pool: (at === -1 ? undefined : args[at + 1]) ?? "rbd",
      namespace: "",
      name: path.basename(file),
      way: "fuse",
      fsid: null,
    };
  }
  return null;
}

/** Empty: it is not an absolute path. The working directory of a daemon is not where it was started. */
function realOf(arg: string): string {
  try {
    return arg.startsWith("/") ? realpathSync(arg) : "";
  } catch {
    return "";
  }
}

/** null: it cannot be read. */
function textOf(...parts: string[]): string | null {
  try {
    return readFileSync(path.join(...parts), "utf8").replace(/\n$/, "");
  } catch {
    return null;
  }
}
