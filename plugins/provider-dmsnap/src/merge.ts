import { closeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Context, Transaction } from "holdstill/plugin";
import { findByName, findByUuid, type MappedDevice } from "#kit/mapped-devices.js";
import type { Entry, Store } from "./entry.js";
import { generationOf } from "./generation.js";
import { CHUNK, Mapper, whole } from "./mapper.js";
import { realOf, snapshotOf } from "./names.js";
import type { Options } from "./options.js";
import { openUnused } from "./origin.js";
import { assertSound, unexpose } from "./exposure.js";
import { readBootId } from "./reassembly.js";
import { PluginError } from "./errors.js";
import type { Registry } from "./registry.js";
import { spaceFor } from "./size.js";
import { makeReal, snapshotTable, stack } from "./stack.js";
import { allot, assemble, make, placeOf } from "./store.js";

/** Between two checks of the kernel's progress, ms. */
const PAUSE_MS = 200;

/**
 * Puts the snapshot back into its origin, which must not be in use meanwhile: the kernel copies what the store has saved
 * (Documentation/admin-guide/device-mapper/snapshot.rst, snapshot-merge). The snapshot stays: it is equal to the origin then. The
 * state on disk is `reverting` until all is done, and a revert that was interrupted continues when it is called again.
 */
export async function revert(before: Entry, registry: Registry, ctx: Context<Options>): Promise<void> {
  const device = revertible(before, registry);
  const mapper = new Mapper(ctx);
  if (before.kind === "block") await assertNotOpen(device, mapper);
  const fd = openUnused(device);
  try {
    const entry = await unexpose(before, registry, ctx);
    if (entry.state !== "reverting") await assertSound(entry, registry, mapper);
    registry.write({ ...entry, state: "reverting" });
    await merge(entry, mapper, ctx);
    await stack(entry.origin, mapper);
    const label = snapshotOf(entry);
    await mapper.create(label, snapshotTable(entry, await assemble(entry.store, label, ctx)));
    registry.write({ ...entry, state: "sealed", bootId: readBootId() });
  } finally {
    closeSync(fd);
  }
}

/** A snapshot of the origin as it is now. The origin is not in use, so no hold is necessary. */
export async function preserve(
  before: Entry,
  tx: Transaction,
  registry: Registry,
  ctx: Context<Options>,
): Promise<Entry> {
  const device = revertible(before, registry);
  if (before.state === "reverting") {
    const message = `${before.origin.name} is already being reverted to ${before.id}.`;
    throw new PluginError(
      "NO_SAFETY",
      message,
      "The state before the revert is in a separate set, if there was enough space.",
    );
  }
  const mapper = new Mapper(ctx);
  if (before.kind === "block") await assertNotOpen(device, mapper);
  const fd = openUnused(device);
  try {
    await assertSound(before, registry, mapper);
    const id = `${tx.id}.${registry.ofSet(tx.id).length}`;
    const store = await spaceBeside(before, id, registry, mapper, ctx);
    const { shown: _, ...rest } = before;
    const generation = before.kind === "block" ? null : await generationOf(before.fsType, device.node, ctx);
    const exceptions = ctx.options.persistent && store.kind !== "memory" ? "persistent" : "transient";
    const [createdAt, bootId] = [new Date().toISOString(), readBootId()];
    const own = { id, setId: tx.id, store, exceptions, state: "planned", createdAt, bootId, generation } as const;
    const entry = registry.write({ ...rest, ...own });
    const label = snapshotOf(entry);
    await mapper.create(label, snapshotTable(entry, await make(store, label, registry, ctx)));
    return registry.write({ ...entry, state: "sealed" });
  } finally {
    closeSync(fd);
  }
}

/** How often a look at the device by another program, such as udev, is waited for. */
const LOOKS = 10;

/**
 * A program that uses a raw device, such as a virtual machine, may not have it open for itself alone.
 *
 * @throws PluginError BUSY
 */
async function assertNotOpen({ name }: MappedDevice, mapper: Mapper): Promise<void> {
  for (let look = 1; (await mapper.openCount(name)) > 0; look += 1) {
    const hint = `Stop what uses it: fuser -v /dev/mapper/${name}`;
    if (look === LOOKS) throw new PluginError("BUSY", `${name} is in use.`, hint);
    await sleep(PAUSE_MS);
  }
}

/** Space for as much as the first snapshot has saved, since the revert overwrites that much. @throws PluginError NO_SAFETY */
async function spaceBeside(
  before: Entry,
  id: string,
  registry: Registry,
  mapper: Mapper,
  ctx: Context<Options>,
): Promise<Store> {
  const usage = await mapper.usage(snapshotOf(before).name);
  const { sectors } = before.origin;
  const kept = usage.state === "valid" ? usage.usedSectors * 512 : 0;
  const bytes = Math.max(
    spaceFor(ctx.options.size, sectors * 512),
    spaceFor(`${Math.ceil((kept * 1.1) / 2 ** 20) + 4}M`, sectors * 512),
  );
  try {
    const [store] = await allot(placeOf(ctx.options, ctx.dataDir), [{ id, bytes }], registry, ctx);
    if (store === undefined) throw new RangeError("one store was asked for");
    return store;
  } catch (error) {
    if (error instanceof PluginError) throw new PluginError("NO_SAFETY", error.message, error.hint);
    throw error;
  }
}

/** Its origin. @throws PluginError UNSUPPORTED */
function revertible(before: Entry, registry: Registry): MappedDevice {
  if (before.of !== undefined || registry.ofSet(before.setId).some(({ of }) => of === before.id)) {
    const message = `The snapshot ${before.id} is a fork or has one, so it cannot be put back: that would take it from the other.`;
    const hint = "`holdstill restore` copies the files. Sets that are to be reverted are taken with `--repair later`.";
    throw new PluginError("UNSUPPORTED", message, hint);
  }
  if (before.exceptions === "transient") {
    const message = `The snapshot ${before.id} is transient, so it cannot be put back: the kernel merges persistent stores only.`;
    throw new PluginError("UNSUPPORTED", message, "Copy the files from where it is exposed.");
  }
  const { name } = before.origin;
  const device = findByName(name);
  if (device?.uuid === before.origin.uuid) return device;
  throw new PluginError("UNSUPPORTED", `The origin ${name} does not exist.`, "Open it, but do not mount it.");
}

async function merge(entry: Entry, mapper: Mapper, ctx: Context<Options>): Promise<void> {
  const { name, sectors } = entry.origin;
  const [live] = await mapper.table(name);
  if (live?.type !== "snapshot-merge") {
    const device = findByName(name);
    if (device !== undefined && live?.type !== "snapshot-origin") {
      await makeReal({ ...device, table: await mapper.table(name) }, mapper);
    }
    await mapper.remove(snapshotOf(entry));
    const real = findByUuid(realOf(name).uuid)?.number;
    const store = await assemble(entry.store, snapshotOf(entry), ctx);
    await mapper.load(name, whole(sectors, "snapshot-merge", `${real} ${store} P ${CHUNK}`));
    await mapper.resume(name);
  }
  for (let all: number | null = null; ; await sleep(PAUSE_MS, undefined, { signal: ctx.signal })) {
    const usage = await mapper.usage(name);
    if (usage.state === "invalid") {
      const message = `The kernel stopped putting ${entry.id} back into ${name}: ${usage.reason}.`;
      throw new PluginError("REVERTING", message, "Check the kernel's log, fix the disk, and revert again.");
    }
    const left = usage.usedSectors - usage.metadataSectors;
    if (left <= 0) return;
    all ??= left;
    ctx.progress(`putting ${name} back`, all - left, all);
  }
}
