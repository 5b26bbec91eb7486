import path from "node:path";
import type { Context, Exposed, Snapshot, View } from "holdstill/plugin";
import { findByName, type MappedDevice } from "#kit/mapped-devices.js";
import { type Mount, mountSnapshot, mountsOf, unmount } from "#kit/mounts.js";
import { decryptedDeviceOf, closeDecrypted, openDecrypted } from "./crypt.js";
import { removeLayer, numberOf, makeLayer, REPLAY, spaceAbove } from "./layer.js";
import { type LogicalVolume, readVolumes } from "./logical-volume.js";
import { expect } from "./mapper.js";
import type { Options } from "./options.js";
import type { Own } from "./ownership.js";
import { close, deviceOf, open, type Permission } from "./snapshot-device.js";
import { PluginError } from "./errors.js";
import { type Captured, capturedBy, find, findWhole } from "./snapshot.js";
import { watch } from "./space.js";

export async function expose(snapshot: Snapshot, view: View, ctx: Context<Options>): Promise<Exposed> {
  const captured = capturedBy(snapshot);
  const all = await readVolumes(ctx);
  const own = findWhole(snapshot, all);
  watch(own.volume, all, ctx);
  const exposed = { trees: treesOf(captured, view.at), readOnly: view.access === "read-only" };
  const there = mountsBy(own);
  const here = there.find(({ point }) => point === view.at);
  if (here !== undefined && isSame(here, own, view)) return exposed;
  if (there.length > 0) {
    const message = `${snapshot.id} is already exposed, on ${there.map(({ point }) => point).join(", ")}.`;
    throw new PluginError("BUSY", message, "Unexpose its set first.");
  }
  // A layer that a crash left.
  await removeLayer(own, all, ctx);
  await open(own, view.access === "writable" ? "rw" : "r", all, ctx);
  try {
    await show(own, captured, view, ctx);
  } catch (error) {
    const undone = readVolumes(ctx).then((now) => end(own, now, ctx));
    await undone.catch((second: unknown) => ctx.log.warn(`the exposure could not be undone: ${String(second)}`));
    throw error;
  }
  return exposed;
}

/** Idempotent. */
export async function unexpose(snapshot: Snapshot, ctx: Context): Promise<void> {
  const all = await readVolumes(ctx);
  const own = find(snapshot, all);
  if (own !== null) await end(own, all, ctx);
}

/** Unmounts a snapshot and the devices above it, and removes these. */
export async function end(own: Own, all: readonly LogicalVolume[], ctx: Context): Promise<void> {
  for (const { point } of mountsBy(own)) await unmount(point, ctx);
  await removeLayer(own, all, ctx);
  await close(own, ctx);
}

async function show(own: Own, { fsType, crypt }: Captured, view: View, ctx: Context): Promise<void> {
  const put = async (device: MappedDevice, permission: Permission, access: Mount["access"]): Promise<void> => {
    const clear = crypt === null ? device : await openDecrypted(own, crypt, device, permission, ctx);
    await mountSnapshot(clear.node, view.at, { fsType, access }, ctx);
  };
  const snapshot = expect(deviceOf(own));
  switch (view.access) {
    case "writable":
      return put(snapshot, "rw", "read-write");
    case "scratch":
      return put(await makeLayer(own, spaceAbove(own.volume, deviceOf(own)), ctx), "rw", "read-write");
    case "read-only":
      // The device is read-only too. A file system that wants to replay its journal, as XFS always does, cannot be mounted
      // from it: then the layer takes the replay.
      return put(snapshot, "r", "read-only").catch(async () => {
        await closeDecrypted(own, ctx);
        await put(await makeLayer(own, REPLAY, ctx), "rw", "read-only");
      });
  }
}

/** The mounts of the snapshot, and of the devices above it. */
function mountsBy(own: Own): Mount[] {
  const numbers = [findByName(deviceOf(own))?.number, numberOf(own), findByName(decryptedDeviceOf(own))?.number];
  return mountsOf(numbers.filter((number) => typeof number === "string"));
}

function isSame(mount: Mount, own: Own, { access }: View): boolean {
  if ((mount.access === "read-only") !== (access === "read-only")) return false;
  const hasLayer = numberOf(own) !== null;
  return access === "read-only" || hasLayer === (access === "scratch");
}

/** The captured paths, below the place where their file system is mounted now. */
function treesOf({ mountPoint, root, paths }: Captured, at: string): Exposed["trees"] {
  return paths.map((original) => ({
    original,
    path: path.join(at, root, path.relative(mountPoint, original)),
  })) as Exposed["trees"];
}
