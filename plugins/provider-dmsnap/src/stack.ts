import type { Target } from "#kit/dmsetup.js";
import { announceChange, findByName, findByUuid, type MappedDevice, mappedDevices } from "#kit/mapped-devices.js";
import type { Entry, Origin } from "./entry.js";
import { CHUNK, type Mapper, sameTable, whole } from "./mapper.js";
import { belowOf, identityOf, realOf, snapshotOf } from "./names.js";
import { type Captured, stackedTable } from "./origin.js";
import { PluginError } from "./errors.js";

/*
 *   before                  while snapshots exist
 *
 *   data: its own table     data: snapshot-origin ─▶ data-holdstill-real: its own table
 *                           data-holdstill-ID: snapshot of data-holdstill-real, and its store
 */

/** Makes a second device with the origin's table. Nothing uses that device yet, so the origin does not change. */
export async function makeReal(origin: Captured, mapper: Mapper): Promise<void> {
  const label = realOf(origin.name);
  const real = findByUuid(label.uuid);
  if (real !== undefined) {
    if (await isStacked(origin, mapper)) return;
    const left = snapshotsOf(origin.name);
    for (const { name } of left) if ((await mapper.table(name)).length > 0) throw bypassed(origin.name);
    // Left by a transaction that died in prepare: none of its snapshots is active.
    if (sameTable(await mapper.table(real.name), origin.table)) return;
    if (left.length > 0) throw leftovers(origin.name);
    await unstack(origin, mapper);
  }
  await mapper.create(label, origin.table);
}

/** Makes the snapshot's device, with its table ready in the inactive slot: it begins to copy when it is resumed. */
export async function makeSnapshot(entry: Entry, store: string, mapper: Mapper): Promise<void> {
  const label = snapshotOf(entry);
  await mapper.create(label);
  await mapper.load(label.name, snapshotTable(entry, store));
}

export function snapshotTable(entry: Entry, store: string): Target[] {
  const below = findByUuid(belowOf(entry).uuid);
  const kind = entry.exceptions === "persistent" ? "P" : "N";
  return whole(entry.origin.sectors, "snapshot", `${below?.number} ${store} ${kind} ${CHUNK}`);
}

/**
 * Loads the origin's new table into its inactive slot. A resume of the origin makes it live, which does no harm: without an active
 * snapshot it maps the same blocks as the old one.
 */
export async function loadStackedTable(origin: Captured, mapper: Mapper): Promise<void> {
  const table = stackedTable(origin) ?? [];
  if (sameTable(await mapper.table(origin.name), table)) return;
  const waiting = await mapper.table(origin.name, "inactive");
  if (waiting.length > 0 && !sameTable(waiting, table)) {
    const message = `Another program is about to change ${origin.name}: a table is in its inactive slot.`;
    throw new PluginError("BUSY", message, `See \`dmsetup table --inactive ${origin.name}\`.`);
  }
  await mapper.load(origin.name, table);
}

/** Gives the origin its own table back, and removes the second device, unless another snapshot needs them. Idempotent. */
export async function unstack(origin: Origin, mapper: Mapper): Promise<void> {
  const label = realOf(origin.name);
  const real = findByUuid(label.uuid);
  if (snapshotsOf(origin.name).length > 0) return;
  const stacked = stackedTable(origin) ?? [];
  if (real !== undefined && isThere(origin)) {
    if (sameTable(await mapper.table(origin.name, "inactive"), stacked)) await mapper.clear(origin.name);
    if (sameTable(await mapper.table(origin.name), stacked)) {
      await mapper.load(origin.name, await mapper.table(real.name));
      await mapper.resume(origin.name);
    }
  }
  await mapper.remove(label);
  // While the snapshots existed, links in /dev/disk may have meant them.
  const device = real === undefined ? undefined : findByName(origin.name);
  if (device !== undefined && isThere(origin)) announceChange(device);
}

/** From now on, the origin's writes go through its snapshots. Nothing may write to it meanwhile. */
export async function stack(origin: Origin, mapper: Mapper): Promise<void> {
  const table = stackedTable(origin) ?? [];
  if (sameTable(await mapper.table(origin.name), table)) return;
  await mapper.load(origin.name, table);
  await mapper.resume(origin.name);
}

/** Whether the origin's writes go through its snapshots. */
export async function isStacked(origin: Origin, mapper: Mapper): Promise<boolean> {
  const table = stackedTable(origin);
  return table !== null && isThere(origin) && sameTable(await mapper.table(origin.name), table);
}

/** The devices that are snapshots of that origin, whichever instance has made them. */
function snapshotsOf(origin: string): MappedDevice[] {
  return mappedDevices().filter(({ name, uuid }) => {
    const identity = identityOf(uuid);
    return identity !== undefined && name === snapshotOf({ ...identity, origin: { name: origin } }).name;
  });
}

function isThere({ name, uuid }: Origin): boolean {
  return findByName(name)?.uuid === uuid;
}

function leftovers(origin: string): PluginError {
  const message = `A transaction that died has left devices of ${origin}, whose table has changed since.`;
  return new PluginError("BUSY", message, "Undo it: holdstill recover.");
}

export function bypassed(origin: string): PluginError {
  return new PluginError(
    "BYPASSED",
    `${origin} was opened without its snapshots: what was written to it since then is missing in them.`,
    "They cannot be used any more: remove them.",
  );
}
