import path from "node:path";
import type { Context, Exposed, View } from "holdstill/plugin";
import { shownDevice as deviceToShow } from "#kit/shown-device.js";
import { assertUnpinned } from "#kit/pinned.js";
import { mountSnapshot, mountsOf, unmount } from "#kit/mounts.js";
import { accessOf, findByUuid, type MappedDevice } from "#kit/mapped-devices.js";
import type { Entry, Store } from "./entry.js";
import { CHUNK, Mapper, whole } from "./mapper.js";
import { layerOf, snapshotOf } from "./names.js";
import type { Options } from "./options.js";
import { isAway, isDetached, reassemble } from "./reassembly.js";
import { PluginError } from "./errors.js";
import { assertReachable } from "./reachable.js";
import type { Registry } from "./registry.js";
import { spaceFor } from "./size.js";
import { bypassed, isStacked } from "./stack.js";
import { allot, drop, make, placeOf } from "./store.js";

/**
 * Mounts the snapshot: over a throw-away layer, except for `writable`, because even a read-only mount replays the journal, and XFS
 * always has something to replay. So the snapshot stays as it was cut. That of a raw device is not mounted: the device above it is what
 * is shown, which takes no writes if the view is read-only, and so needs no store.
 */
export async function expose(entry: Entry, view: View, registry: Registry, ctx: Context<Options>): Promise<Exposed> {
  const mapper = new Mapper(ctx);
  const { shown } = entry;
  if (shown !== undefined) {
    const isSame = shown.view.at === view.at && shown.view.access === view.access;
    if (isSame && isShown(entry, view)) return await exposedOf(entry, view, ctx);
    if (!isSame) throw exposedElsewhere(entry, shown.view);
    await unexpose(entry, registry, ctx);
  }
  if (view.access === "writable" && registry.ofSet(entry.setId).some(({ of }) => of === entry.id)) {
    const message = `The snapshot ${entry.id} has a fork, which reads unchanged blocks from it: it cannot be exposed writable.`;
    throw new PluginError("EXPOSED", message, "Expose the fork, or expose this one as scratch.");
  }
  if (isAway(entry)) assertReachable(entry, registry);
  if (isDetached(entry)) await reassemble(entry, registry, ctx);
  await assertSound(entry, registry, mapper);
  const bytes = spaceFor(ctx.options.size, entry.origin.sectors * 512);
  const place = placeOf(ctx.options, ctx.dataDir);
  const wanted = [{ id: `${entry.id}-layer`, bytes }];
  const isKept = entry.kind === "block" && view.access === "read-only";
  const [layer = null] = view.access === "writable" || isKept ? [] : await allot(place, wanted, registry, ctx);
  const now = registry.write({ ...(registry.find(entry.id) ?? entry), shown: { view, layer } });
  if (layer !== null) await makeLayer(now, layer, registry, ctx);
  if (isKept) await makeReadOnly(now, mapper);
  if (now.kind !== "block") {
    const access = view.access === "read-only" ? "read-only" : "read-write";
    await mountSnapshot(shownDevice(now)?.node ?? "", view.at, { fsType: now.fsType, access }, ctx);
  }
  return exposedOf(now, view, ctx);
}

function isShown(entry: Entry, { at, access }: View): boolean {
  const device = shownDevice(entry);
  if (device === undefined) return false;
  if (entry.kind === "block") return (accessOf(device) === "read-only") === (access === "read-only");
  return mountsOf([device.number]).some(({ point }) => point === at);
}

/** Unmounts the snapshot, and discards the layer. Idempotent. */
export async function unexpose(entry: Entry, registry: Registry, ctx: Context<Options>): Promise<Entry> {
  const label = layerOf(entry);
  const devices = [label, snapshotOf(entry)].flatMap(({ uuid }) => findByUuid(uuid)?.number ?? []);
  for (const { point } of mountsOf(devices)) await unmount(point, ctx);
  if (entry.shown === undefined) return entry;
  try {
    await new Mapper(ctx).remove(label);
    if (entry.shown.layer !== null) await drop(entry.shown.layer, label, ctx);
  } catch (error) {
    assertUnpinned(entry.id, devices);
    throw error;
  }
  const { shown: _, ...rest } = entry;
  return registry.write(rest);
}

/** Refuses a snapshot that is not complete: one that overflowed, or whose origin was written to without it. */
export async function assertSound(entry: Entry, registry: Registry, mapper: Mapper): Promise<void> {
  const cut = entry.of === undefined ? undefined : registry.find(entry.of);
  if (cut !== undefined) await assertSound(cut, registry, mapper);
  const { name, uuid } = snapshotOf(entry);
  if (findByUuid(uuid) === undefined) {
    throw gone(entry);
  }
  const usage = await mapper.usage(name);
  if (usage.state === "invalid") {
    throw new PluginError(
      "OVERFLOWED",
      `The snapshot ${entry.id} is invalid: more was written to ${entry.origin.name} than fits into its store (the kernel reports \`${usage.reason}\`).`,
      "Remove it, and take the next with a larger `size`.",
    );
  }
  if (!(await isStacked(entry.origin, mapper))) throw bypassed(entry.origin.name);
}

async function makeLayer(entry: Entry, layer: Store, registry: Registry, ctx: Context<Options>): Promise<void> {
  const label = layerOf(entry);
  const store = await make(layer, label, registry, ctx);
  const below = findByUuid(snapshotOf(entry).uuid)?.number;
  const table = whole(entry.origin.sectors, "snapshot", `${below} ${store} N ${CHUNK}`);
  await new Mapper(ctx).create(label, table);
}

async function makeReadOnly(entry: Entry, mapper: Mapper): Promise<void> {
  const below = findByUuid(snapshotOf(entry).uuid)?.number;
  await mapper.create(layerOf(entry), whole(entry.origin.sectors, "linear", `${below} 0`), "read-only");
}

function shownDevice(entry: Entry): MappedDevice | undefined {
  const isItself = entry.shown === undefined || entry.shown.view.access === "writable";
  return findByUuid((isItself ? snapshotOf(entry) : layerOf(entry)).uuid);
}

async function exposedOf(entry: Entry, { access, at }: View, ctx: Pick<Context, "exec">): Promise<Exposed> {
  const { paths } = entry;
  if (entry.kind === "block") {
    const device = shownDevice(entry);
    if (device === undefined) throw gone(entry);
    return deviceToShow(paths[0] ?? "", device, access === "read-only" ? "read-only" : "read-write", ctx);
  }
  const { inner } = entry;
  return {
    trees: paths.map((original, index) => ({ original, path: path.resolve(at, `.${inner[index] ?? "/"}`) })),
    readOnly: access === "read-only",
  };
}

const gone = ({ id }: Entry): PluginError =>
  new PluginError("UNKNOWN_SNAPSHOT", `The snapshot ${id} no longer exists.`, "Delete its set.");

function exposedElsewhere({ id }: Entry, view: View): PluginError {
  const message = `The snapshot ${id} is already exposed, ${view.access}, at ${view.at}.`;
  return new PluginError("EXPOSED", message, "Unexpose it first.");
}
