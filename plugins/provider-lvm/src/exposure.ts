import path from "node:path";
import type { Context, Exposed, Snapshot, View } from "holdstill/plugin";
import { accessOf, type MappedDevice } from "#kit/mapped-devices.js";
import { innerPath } from "#kit/paths.js";
import { shownDevice } from "#kit/shown-device.js";
import { assertUnpinned } from "#kit/pinned.js";
import { type Mount, mountSnapshot, mountsOf, unmount } from "#kit/mounts.js";
import { decryptedDeviceOf, closeDecrypted, openDecrypted } from "./crypt.js";
import { layerDevice, makeLayer, removeLayer, REPLAY, spaceAbove } from "./layer.js";
import { type LogicalVolume, readVolumes } from "./logical-volume.js";
import type { Options } from "./options.js";
import type { Own } from "./ownership.js";
import { close, deviceOf, open, openedDevice, type Permission } from "./snapshot-device.js";
import { PluginError } from "./errors.js";
import { type CapturedDevice, type CapturedFiles, capturedBy, find, findWhole } from "./snapshot.js";
import { watch } from "./space.js";

export async function expose(snapshot: Snapshot, view: View, ctx: Context<Options>): Promise<Exposed> {
  const captured = capturedBy(snapshot);
  const all = await readVolumes(ctx);
  const own = await findWhole(snapshot, all, ctx);
  watch(own.volume, all, ctx);
  return captured.kind === "block"
    ? exposeDevice(own, captured, view, all, ctx)
    : exposeFiles(own, captured, view, all, ctx);
}

async function exposeFiles(
  own: Own,
  captured: CapturedFiles,
  view: View,
  all: readonly LogicalVolume[],
  ctx: Context<Options>,
): Promise<Exposed> {
  const exposed = { trees: treesOf(captured, view.at), readOnly: view.access === "read-only" };
  const there = mountsOf(devicesOf(own, all));
  const here = there.find(({ point }) => point === view.at);
  if (here !== undefined && isSame(here, layerDevice(own, all), view)) return exposed;
  if (there.length > 0) {
    const message = `${own.id} is already exposed, on ${there.map(({ point }) => point).join(", ")}.`;
    throw new PluginError("BUSY", message, "Unexpose its set first.");
  }
  await openFor(view, own, all, ctx);
  return undoing(own, ctx, async () => {
    await show(own, captured, view, ctx);
    return exposed;
  });
}

/** Nothing is mounted: the device itself is what is shown. */
async function exposeDevice(
  own: Own,
  { paths: [original = ""], crypt }: CapturedDevice,
  view: View,
  all: readonly LogicalVolume[],
  ctx: Context<Options>,
): Promise<Exposed> {
  const access = view.access === "read-only" ? "read-only" : "read-write";
  const top = crypt === null ? (layerDevice(own, all) ?? deviceOf(own)) : decryptedDeviceOf(own);
  if (top !== undefined && isSame({ access: accessOf(top) }, layerDevice(own, all), view))
    return shownDevice(original, top, access, ctx);
  // What an expose that was killed has left is not in use; what is in use cannot be removed.
  await end(own, all, ctx);
  await openFor(view, own, all, ctx);
  return undoing(own, ctx, async () => {
    const snapshot = openedDevice(own);
    const layer = view.access === "scratch" ? await makeLayer(own, spaceAbove(own.volume, snapshot), ctx) : snapshot;
    const permission = access === "read-only" ? "r" : "rw";
    const clear = crypt === null ? layer : await openDecrypted(own, crypt, layer, permission, ctx);
    return shownDevice(original, clear, access, ctx);
  });
}

async function openFor(view: View, own: Own, all: readonly LogicalVolume[], ctx: Context<Options>): Promise<void> {
  // A layer that a crash left.
  await removeLayer(own, all, ctx);
  await open(own, view.access === "writable" ? "rw" : "r", all, ctx);
}

/** What was opened is closed again if it cannot be shown. */
async function undoing(own: Own, ctx: Context<Options>, showIt: () => Promise<Exposed>): Promise<Exposed> {
  try {
    return await showIt();
  } catch (error) {
    const undone = readVolumes(ctx).then((now) => end(own, now, ctx));
    await undone.catch((second: unknown) => ctx.log.warn(`the exposure could not be undone: ${String(second)}`));
    throw error;
  }
}

/** Idempotent. */
export async function unexpose(snapshot: Snapshot, ctx: Context): Promise<void> {
  const all = await readVolumes(ctx);
  const own = await find(snapshot, all, ctx);
  if (own !== null) await end(own, all, ctx);
}

/** Unmounts a snapshot and the devices above it, and removes these. @throws PluginError BUSY */
export async function end(own: Own, all: readonly LogicalVolume[], ctx: Context): Promise<void> {
  const numbers = devicesOf(own, all);
  for (const { point } of mountsOf(numbers)) await unmount(point, ctx);
  try {
    await removeLayer(own, all, ctx);
    await close(own, ctx);
  } catch (error) {
    assertUnpinned(own.id, numbers);
    throw error;
  }
}

async function show(own: Own, { fsType, crypt }: CapturedFiles, view: View, ctx: Context): Promise<void> {
  const put = async (device: MappedDevice, permission: Permission, access: Mount["access"]): Promise<void> => {
    const clear = crypt === null ? device : await openDecrypted(own, crypt, device, permission, ctx);
    await mountSnapshot(clear.node, view.at, { fsType, access }, ctx);
  };
  const snapshot = openedDevice(own);
  switch (view.access) {
    case "writable":
      return put(snapshot, "rw", "read-write");
    case "scratch":
      return put(await makeLayer(own, spaceAbove(own.volume, snapshot), ctx), "rw", "read-write");
    case "read-only":
      // The device is read-only too. A file system that wants to replay its journal, as XFS always does, cannot be mounted
      // from it: then the layer takes the replay.
      return put(snapshot, "r", "read-only").catch(async () => {
        await closeDecrypted(own, ctx);
        await put(await makeLayer(own, REPLAY, ctx), "rw", "read-only");
      });
  }
}

/** The numbers of the snapshot's device, and of the devices above it. */
function devicesOf(own: Own, all: readonly LogicalVolume[]): string[] {
  const devices = [deviceOf(own), layerDevice(own, all), decryptedDeviceOf(own)];
  return devices.flatMap((device) => device?.number ?? []);
}

function isSame(mount: Pick<Mount, "access">, layer: MappedDevice | undefined, { access }: View): boolean {
  if ((mount.access === "read-only") !== (access === "read-only")) return false;
  return access === "read-only" || (layer !== undefined) === (access === "scratch");
}

/** The captured paths, below the place where their file system is mounted now. */
function treesOf(captured: CapturedFiles, at: string): Exposed["trees"] {
  return captured.paths.map((original) => ({
    original,
    path: path.join(at, innerPath(original, captured)),
  }));
}
