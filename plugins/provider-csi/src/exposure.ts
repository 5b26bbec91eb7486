import path from "node:path";
import type { Context, Exposed, View } from "holdstill/plugin";
import { mount, mountSnapshot, readMounts, unmount } from "#kit/mounts.js";
import { deleteVolume, makeVolume } from "./clone.js";
import type { Connection } from "./connection.js";
import { driverOf } from "./driver.js";
import { type Entry, nameOf, type Shown } from "./entry.js";
import { PluginError } from "./errors.js";
import { again, leavesOpen } from "./failure.js";
import type { Volume } from "./messages.js";
import type { Options } from "./options.js";
import { publish, unpublish } from "./publish.js";
import type { Registry } from "./registry.js";

/**
 * Has the driver make a volume from the snapshot and publish it, and mounts that at the view's folder. Only a fork is shown itself,
 * unless what is written has to be discarded.
 */
export async function expose(
  entry: Entry,
  view: View,
  registry: Registry,
  connection: Connection,
  ctx: Context<Options>,
): Promise<Exposed> {
  const { shown } = entry;
  if (shown !== undefined) {
    const isSame = shown.view.at === view.at && shown.view.access === view.access;
    if (!isSame) throw exposedElsewhere(entry, shown.view);
    if (readMounts().some(({ point }) => point === view.at)) return exposedOf(entry, shown);
    await unexpose(entry, registry, connection, ctx);
  }
  const by = await chooseVolume(entry, view, connection, ctx);
  const planned = registry.write({ ...entry, shown: { view, by } });
  const volume = await volumeOf(planned, by, connection, ctx).catch((error: unknown) => {
    if (!leavesOpen(error)) registry.write(entry);
    throw error;
  });
  const now = { view, by: by.what === "clone" ? { ...by, volume } : by };
  registry.write({ ...entry, shown: now });
  const published = await publish(volume, entry, connection, ctx);
  const access = isWritable(now) ? "read-write" : "read-only";
  const { fsType } = entry.volume;
  if (entry.source.access === "block") await mountSnapshot(published, view.at, { fsType, access }, ctx);
  else await mount(published, view.at, { options: ["bind", access === "read-only" ? "ro" : "rw"] }, ctx);
  return exposedOf(entry, now);
}

/** Undoes it, as far as it went. Idempotent. */
export async function unexpose(
  entry: Entry,
  registry: Registry,
  connection: Connection,
  ctx: Context<Options>,
): Promise<Entry> {
  const { shown, ...hidden } = entry;
  if (shown === undefined) return entry;
  const { view, by } = shown;
  for (const { point } of readMounts().filter((one) => one.point === view.at)) await unmount(point, ctx);
  const volume = await again(volumeOf(entry, by, connection, ctx));
  if (volume !== null) await unpublish(volume.volumeId, entry, connection, ctx);
  if (volume !== null && by.what === "clone") await deleteVolume(volume, connection);
  return registry.write(hidden);
}

async function chooseVolume(
  { held }: Entry,
  { access }: View,
  connection: Connection,
  ctx: Context<Options>,
): Promise<Shown["by"]> {
  const { can } = await driverOf(connection, ctx);
  const isItself = held.as === "fork" && (access !== "scratch" || !can.has("CLONE_VOLUME"));
  return isItself ? { what: "itself" } : { what: "clone", volume: null };
}

/** The volume that is shown. If it is not known, the request for it is repeated, which returns what the first one made. */
async function volumeOf(entry: Entry, by: Shown["by"], connection: Connection, ctx: Context<Options>): Promise<Volume> {
  if (by.what === "clone") return by.volume ?? makeVolume(nameOf.clone(entry.id), entry, connection, ctx);
  if (entry.held.as === "fork" && entry.held.volume !== null) return entry.held.volume;
  throw new PluginError("UNKNOWN_SNAPSHOT", `The fork ${entry.id} is not complete.`, "Delete its set.");
}

/** Whether what is written goes where the view says. */
const isWritable = ({ view: { access }, by: { what } }: Shown): boolean =>
  (access === "scratch" && what === "clone") || (access === "writable" && what === "itself");

function exposedOf({ volume: { paths, mountPoint, root } }: Entry, shown: Shown): Exposed {
  const trees = paths.map((original) => ({
    original,
    path: path.join(shown.view.at, root, path.relative(mountPoint, original)),
  }));
  return { trees, readOnly: !isWritable(shown) };
}

function exposedElsewhere({ id }: Entry, view: View): PluginError {
  const message = `The snapshot ${id} is already exposed, ${view.access}, at ${view.at}.`;
  return new PluginError("EXPOSED", message, "Unexpose it first.");
}
