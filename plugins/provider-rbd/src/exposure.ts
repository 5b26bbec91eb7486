import path from "node:path";
import type { Context, Exposed, View } from "holdstill/plugin";
import { assertCaptured } from "#kit/mount-once.js";
import { mountSnapshot, mountsOf, unmount } from "#kit/mounts.js";
import { innerPath } from "#kit/paths.js";
import { assertUnpinned } from "#kit/pinned.js";
import { deviceNumber } from "./device-number.js";
import { type Entry, nameOf, type Shown } from "./entry.js";
import { PluginError } from "./errors.js";
import { imageNamed, makeImage, removeViewImage } from "./image.js";
import type { Journal } from "./journal.js";
import { deviceOf, map, unmap } from "./mapping.js";
import type { ImageName } from "./messages.js";
import type { Options } from "./options.js";

/**
 * Makes an image of the snapshot, maps it as the original is mapped, and mounts it. So a journal is replayed in the clone, and the
 * snapshot stays as it was cut. Only a fork is shown itself, unless what is written has to be discarded.
 */
export async function expose(entry: Entry, view: View, journal: Journal, ctx: Context<Options>): Promise<Exposed> {
  const { shown } = entry;
  if (shown !== undefined) {
    const isSame = shown.view.at === view.at && shown.view.access === view.access;
    if (!isSame) throw exposedElsewhere(entry, shown.view);
    if (await isMounted(entry, shown, ctx)) return exposedOf(entry, shown);
    await unexpose(entry, journal, ctx);
  }
  const isItself = entry.held.as === "fork" && view.access !== "scratch";
  const now: Shown = { view, image: isItself ? "itself" : "made for it" };
  const planned = await journal.write({ ...entry, shown: now });
  try {
    return await show(planned, now, journal, ctx);
  } catch (error) {
    // After an abort the host asks for it.
    if (!ctx.signal.aborted)
      await unexpose(planned, journal, ctx).catch((second: unknown) =>
        ctx.log.warn(`the exposure could not be undone: ${String(second)}`),
      );
    throw error;
  }
}

async function show(entry: Entry, now: Shown, journal: Journal, ctx: Context<Options>): Promise<Exposed> {
  const { view } = now;
  if (now.image === "made for it") await makeImage(entry, nameOf.view(entry), journal.client);
  const device = await map(shownImage(entry, now), entry.way, ctx);
  const exposed = exposedOf(entry, now);
  const access = exposed.readOnly ? "read-only" : "read-write";
  await mountSnapshot(device, view.at, { fsType: entry.volume.fsType, access }, ctx);
  for (const original of entry.volume.paths)
    assertCaptured({ original, inner: innerPath(original, entry.volume) }, view.at);
  return exposed;
}

/** Undoes it, as far as it went. Idempotent. @throws PluginError BUSY */
export async function unexpose(entry: Entry, journal: Journal, ctx: Context<Options>): Promise<Entry> {
  const { shown, ...hidden } = entry;
  if (shown === undefined) return entry;
  const image = shownImage(entry, shown);
  const device = await deviceOf(image, entry.way, ctx);
  const numbers = device === null ? [] : [deviceNumber(device)];
  for (const { point } of mountsOf(numbers)) await unmount(point, ctx);
  try {
    await unmap(image, entry.way, ctx);
    if (shown.image === "made for it") await removeViewImage(entry, journal.client, ctx);
  } catch (error) {
    assertUnpinned(entry.id, numbers);
    throw error;
  }
  return await journal.write(hidden);
}

const shownImage = (entry: Entry, { image }: Shown): ImageName =>
  imageNamed(image === "itself" ? nameOf.fork(entry) : nameOf.view(entry), entry);

async function isMounted(entry: Entry, shown: Shown, ctx: Context<Options>): Promise<boolean> {
  const device = await deviceOf(shownImage(entry, shown), entry.way, ctx);
  return device !== null && mountsOf([deviceNumber(device)]).some(({ point }) => point === shown.view.at);
}

function exposedOf({ volume, held }: Entry, { view: { at, access } }: Shown): Exposed {
  const trees = volume.paths.map((original) => ({ original, path: path.join(at, innerPath(original, volume)) }));
  // What is written to a snapshot cannot stay.
  return { trees, readOnly: access === "read-only" || (access === "writable" && held.as !== "fork") };
}

function exposedElsewhere({ id }: Entry, view: View): PluginError {
  const message = `The snapshot ${id} is already exposed, ${view.access}, at ${view.at}.`;
  return new PluginError("EXPOSED", message, "Unexpose it first.");
}
