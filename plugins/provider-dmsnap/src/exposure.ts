import path from "node:path";
import type { Context, Exposed, View } from "holdstill/plugin";
import { findByUuid, type Mapped } from "./devices.js";
import type { Entry, Store } from "./entry.js";
import { CHUNK, Mapper, whole } from "./mapper.js";
import { mountPointsOf } from "./mounts.js";
import { layerOf, snapshotOf } from "./names.js";
import type { Options } from "./options.js";
import { isDetached, reassemble } from "./reassembly.js";
import { Refusal } from "./errors.js";
import type { Registry } from "./registry.js";
import { roomFor } from "./size.js";
import { bypassed, isStacked } from "./stack.js";
import { allot, drop, make, placeOf } from "./store.js";

/**
 * Mounts the snapshot. But for `writable` it goes over a throw-away layer: even a read-only mount replays the journal, and XFS
 * always has something to replay. So the snapshot stays as it was cut.
 */
export async function show(entry: Entry, view: View, registry: Registry, ctx: Context<Options>): Promise<Exposed> {
  const mapper = new Mapper(ctx);
  const { shown } = entry;
  if (shown !== undefined) {
    const isSame = shown.view.at === view.at && shown.view.access === view.access;
    if (isSame && mountPointsOf(shownDevice(entry)?.number ?? "").includes(view.at)) return exposedOf(entry, view);
    if (!isSame) throw exposedElsewhere(entry, shown.view);
    await hide(entry, registry, ctx);
  }
  if (view.access === "writable" && registry.ofSet(entry.setId).some(({ of }) => of === entry.id)) {
    const message = `The snapshot ${entry.id} has a fork, which shows what is unchanged in both: it is not exposed writable.`;
    throw new Refusal("EXPOSED", message, "Expose the fork, or expose this one as scratch.");
  }
  if (isDetached(entry)) await reassemble(entry, registry, ctx);
  await assertSound(entry, registry, mapper);
  const bytes = roomFor(ctx.options.size, entry.origin.sectors * 512);
  const place = placeOf(ctx.options, ctx.dataDir);
  const wanted = [{ id: `${entry.id}-layer`, bytes }];
  const [layer = null] = view.access === "writable" ? [] : await allot(place, wanted, registry, ctx);
  const now = registry.write({ ...(registry.find(entry.id) ?? entry), shown: { view, layer } });
  if (layer !== null) await makeLayer(now, layer, registry, ctx);
  await mount(now, view, ctx);
  return exposedOf(now, view);
}

/** Ends the exposure, and throws away the layer. Idempotent. */
export async function hide(entry: Entry, registry: Registry, ctx: Context<Options>): Promise<Entry> {
  const label = layerOf(entry);
  for (const { uuid } of [label, snapshotOf(entry)]) {
    const device = findByUuid(uuid);
    for (const point of device === undefined ? [] : mountPointsOf(device.number)) await unmount(point, ctx);
  }
  if (entry.shown === undefined) return entry;
  await new Mapper(ctx).remove(label);
  if (entry.shown.layer !== null) await drop(entry.shown.layer, label, ctx);
  const { shown: _, ...rest } = entry;
  return registry.write(rest);
}

/** Never shows a snapshot that lacks something: one that overflowed, or whose origin was written to past it. */
export async function assertSound(entry: Entry, registry: Registry, mapper: Mapper): Promise<void> {
  const cut = entry.of === undefined ? undefined : registry.find(entry.of);
  if (cut !== undefined) await assertSound(cut, registry, mapper);
  const { name, uuid } = snapshotOf(entry);
  if (findByUuid(uuid) === undefined) {
    const message = `The snapshot ${entry.id} is not there any more.`;
    throw new Refusal("UNKNOWN_SNAPSHOT", message, "Remove it.");
  }
  const fill = await mapper.fill(name);
  if (fill.state === "invalid") {
    throw new Refusal(
      "OVERFLOWED",
      `The snapshot ${entry.id} is invalid: more was written to ${entry.origin.name} than its store had room for (the kernel says \`${fill.why}\`).`,
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

function shownDevice(entry: Entry): Mapped | undefined {
  return findByUuid((entry.shown?.layer ? layerOf(entry) : snapshotOf(entry)).uuid);
}

async function mount(entry: Entry, { access, at }: View, ctx: Context<Options>): Promise<void> {
  const options = [
    access === "read-only" ? "ro" : "rw",
    "nosuid",
    "nodev",
    // XFS refuses a second file system of one UUID otherwise (xfs(5)).
    ...(entry.fsType === "xfs" ? ["nouuid"] : []),
  ];
  const node = shownDevice(entry)?.node ?? "";
  const args = ["-t", entry.fsType, "-o", options.join(","), "--", node, at];
  const { exitCode, stderr } = await ctx.exec("mount", args);
  if (exitCode === 0) return;
  throw new Refusal(
    "MOUNT",
    `The snapshot cannot be mounted at ${at}: ${stderr.trim()}`,
    "Look at the kernel's log: `dmesg | tail`.",
  );
}

async function unmount(point: string, ctx: Context<Options>): Promise<void> {
  const { exitCode, stderr } = await ctx.exec("umount", ["--", point]);
  if (exitCode === 0) return;
  throw new Refusal(
    "IN_USE",
    `${point} cannot be unmounted: ${stderr.trim()}`,
    `See with \`fuser -vm ${point}\` who uses it.`,
  );
}

function exposedOf({ paths, inner }: Entry, { access, at }: View): Exposed {
  return {
    trees: paths.map((original, index) => ({ original, path: path.resolve(at, `.${inner[index] ?? "/"}`) })),
    readOnly: access === "read-only",
  };
}

function exposedElsewhere({ id }: Entry, view: View): Refusal {
  const message = `The snapshot ${id} is exposed already, ${view.access}, at ${view.at}.`;
  return new Refusal("EXPOSED", message, "Unexpose it first.");
}
