import type { Context } from "holdstill/plugin";
import { deleteVolume, makeVolume } from "./clone.js";
import type { Connection } from "./connection.js";
import { cutsOf, discard } from "./cut.js";
import { assertReady } from "./driver.js";
import { type Entry, nameOf, type Taken } from "./entry.js";
import { unexpose } from "./exposure.js";
import { again } from "./failure.js";
import type { Volume } from "./messages.js";
import type { Options } from "./options.js";
import type { Registry } from "./registry.js";
import { undo } from "./underway.js";

/** Removes a snapshot or a fork in any state. What no longer exists is a success. */
export async function remove(
  entry: Entry,
  registry: Registry,
  connection: Connection,
  ctx: Context<Options>,
): Promise<void> {
  const hidden = await unexpose(entry, registry, connection, ctx);
  const { held } = hidden;
  switch (held.as) {
    case "planned":
      for (const cut of cutsOf(registry.ofSet(hidden.setId))) {
        if (!cut.entries.some(({ id }) => id === hidden.id)) continue;
        await undo(cut, connection);
        for (const { id } of cut.entries) registry.remove(id);
      }
      return;
    case "snapshot":
      await removeUnfinishedForks(hidden, registry, connection, ctx);
      return removeTaken(hidden, held, registry, connection);
    case "fork": {
      const volume = held.volume ?? (await volumeOfFork(hidden, registry, connection, ctx));
      if (volume !== null) await deleteVolume(volume, connection);
      registry.remove(hidden.id);
    }
  }
}

/** Of a group, only the last one is deleted, and all others with it. */
async function removeTaken(entry: Entry, held: Taken, registry: Registry, connection: Connection): Promise<void> {
  const { group, snapshotId } = held;
  if (group === null) {
    await discard({ groupId: null, snapshotIds: [snapshotId] }, connection);
    registry.remove(entry.id);
    return;
  }
  registry.write({ ...entry, held: { ...held, group: { ...group, removal: "asked" } } });
  const members = membersOf(entry.setId, group.id, registry);
  const ids = { groupId: group.id, snapshotIds: members.map((one) => one.held.snapshotId) };
  if (members.some((one) => one.held.group?.removal !== "asked")) {
    // A driver that cannot be reached must not look as if it had been asked.
    await assertReady(connection);
    return;
  }
  await discard(ids, connection);
  for (const { id } of members) registry.remove(id);
}

/** The snapshots of a group. */
export function membersOf(setId: string, groupId: string, registry: Registry): (Entry & { held: Taken })[] {
  return registry
    .ofSet(setId)
    .flatMap((entry) =>
      entry.held.as === "snapshot" && entry.held.group?.id === groupId ? [{ ...entry, held: entry.held }] : [],
    );
}

/** One whose request has no answer: its volume is found by the same request again, and that needs the snapshot. */
async function removeUnfinishedForks(
  { id, setId }: Entry,
  registry: Registry,
  connection: Connection,
  ctx: Context<Options>,
): Promise<void> {
  for (const entry of registry.ofSet(setId))
    if (entry.of === id && entry.held.as === "fork" && entry.held.volume === null)
      await remove(entry, registry, connection, ctx);
}

async function volumeOfFork(
  { id, of = "" }: Entry,
  registry: Registry,
  connection: Connection,
  ctx: Context<Options>,
): Promise<Volume | null> {
  const snapshot = registry.find(of);
  return snapshot === undefined ? null : again(makeVolume(nameOf.own(id), snapshot, connection, ctx));
}
