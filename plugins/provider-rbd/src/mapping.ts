import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmdirSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "holdstill/plugin";
import { readMounts, unmount } from "#kit/mounts.js";
import { PluginError } from "./errors.js";
import type { ImageName } from "./messages.js";
import type { Options } from "./options.js";
import { rbd } from "./rbd.js";
import { krbdDevice, nbdDevice, type Way } from "./source.js";

/** Between two looks at what another process has to do first, ms. */
const PAUSE_MS = 50;
/** How long rbd-fuse may take to let go of its image, ms. */
const LET_GO_MS = 10_000;

/** The block device of an image on this host; null: it is not mapped. */
export async function deviceOf(image: ImageName, way: Way, ctx: Context<Options>): Promise<string | null> {
  switch (way) {
    case "krbd":
      return krbdDevice(image);
    case "nbd":
      return nbdDevice(image, ctx);
    case "fuse":
      return loopOn(path.join(fuseFolder(image, ctx), image.name));
  }
}

/** Maps an image, and returns its block device. @throws PluginError MOUNT */
export async function map(image: ImageName, way: Way, ctx: Context<Options>): Promise<string> {
  const there = await deviceOf(image, way, ctx);
  if (there !== null) return there;
  if (way === "fuse") return mapByFuse(image, ctx);
  const args = ["device", "map", "--device-type", way, ...withoutUdev(way), ...specOf(image)];
  // rbd-nbd is the device: it stays.
  const { exitCode, stdout, stderr } = await rbd(ctx, args, { leftovers: "leave" });
  const [, device] = /(\/dev\/\S+)\s*$/.exec(stdout) ?? [];
  if (exitCode === 0 && device !== undefined) return device;
  throw notMapped(
    image,
    stderr,
    way === "krbd"
      ? "The kernel's log has the reason: `dmesg | tail`."
      : "Is rbd-nbd installed, and the module nbd loaded?",
  );
}

/** Idempotent. @throws PluginError BUSY */
export async function unmap(image: ImageName, way: Way, ctx: Context<Options>): Promise<void> {
  const device = await deviceOf(image, way, ctx);
  if (way === "fuse") return unmapFromFuse(image, device, ctx);
  if (device === null) return;
  const { exitCode, stderr } = await rbd(ctx, ["device", "unmap", "--device-type", way, ...withoutUdev(way), device]);
  if (exitCode !== 0)
    throw new PluginError(
      "BUSY",
      `${device} cannot be unmapped: ${lastLine(stderr)}.`,
      `End the processes that use it: fuser -v ${device}`,
    );
}

/** rbd would wait for udev for ever where that does not run, as in a container (rbd(8), noudev). */
const withoutUdev = (way: Way): string[] =>
  way === "krbd" && !existsSync("/run/udev/control") ? ["--options", "noudev"] : [];

function specOf({ pool, namespace, name }: ImageName): string[] {
  const inside = namespace === "" ? [] : ["--namespace", namespace];
  return ["--pool", pool, ...inside, "--image", name];
}

/** A rbd-fuse keeps each image open that it has shown: so each image has its own. */
const fuseFolder = ({ name }: ImageName, { dataDir }: Context<Options>): string =>
  path.join(realpathSync(dataDir), "fuse", name);

async function mapByFuse(image: ImageName, ctx: Context<Options>): Promise<string> {
  const { conf, user, keyring, fuse = "" } = ctx.options;
  const folder = fuseFolder(image, ctx);
  const file = path.join(folder, image.name);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (!readMounts().some(({ point }) => point === folder)) {
    const key = keyring === undefined ? "" : ` --keyring ${keyring}`;
    const env = { CEPH_ARGS: `--id ${user}${key}` };
    const args = ["-c", conf, "-p", image.pool, "-r", image.name, folder];
    const { exitCode, stderr } = await ctx.exec(fuse, args, { leftovers: "leave", env });
    if (exitCode !== 0) throw notMapped(image, stderr, "See whether rbd-fuse works by hand.");
  }
  // It returns before it has its image.
  while (!existsSync(file)) await sleep(PAUSE_MS, undefined, { signal: ctx.signal });
  const { exitCode, stdout, stderr } = await ctx.exec("losetup", ["--find", "--show", "--", file]);
  if (exitCode === 0) return stdout.trim();
  throw notMapped(image, stderr, "See `losetup --list`, and the kernel's log.");
}

async function unmapFromFuse(image: ImageName, device: string | null, ctx: Context<Options>): Promise<void> {
  const folder = fuseFolder(image, ctx);
  if (device !== null) await ctx.exec("losetup", ["--detach", device]);
  for (const before = Date.now(); readMounts().some(({ point }) => point === folder);) {
    const { exitCode } = await ctx.exec("umount", ["--", folder]);
    if (exitCode !== 0 && Date.now() - before > LET_GO_MS) await unmount(folder, ctx);
    if (exitCode !== 0) await sleep(PAUSE_MS, undefined, { signal: ctx.signal });
  }
  for (const empty of [folder, path.dirname(folder)])
    if (existsSync(empty) && readdirSync(empty).length === 0) rmdirSync(empty);
}

function loopOn(file: string): string | null {
  const name = readdirSync("/sys/block").find((one) => {
    try {
      return readFileSync(`/sys/block/${one}/loop/backing_file`, "utf8").trimEnd() === file;
    } catch {
      return false;
    }
  });
  return name === undefined ? null : `/dev/${name}`;
}

const lastLine = (text: string): string => text.trim().split("\n").at(-1) ?? "";

function notMapped({ name }: ImageName, stderr: string, hint: string): PluginError {
  return new PluginError("MOUNT", `The image ${name} cannot be mapped: ${lastLine(stderr)}`, hint);
}
