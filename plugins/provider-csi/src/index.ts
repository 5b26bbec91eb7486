import type { Provider, Snapshot } from "holdstill/plugin";
import { hasVolume, makeVolume } from "./clone.js";
import { Connection } from "./connection.js";
import { type Cut, cutsOf, snapshotFor, waitUntilReady } from "./cut.js";
import { assertReady, type Driver, driverOf, methodOf } from "./driver.js";
import { type Entry, nameOf, toSnapshot } from "./entry.js";
import { PluginError } from "./errors.js";
import { expose, unexpose } from "./exposure.js";
import { leavesOpen } from "./failure.js";
import { look } from "./look.js";
import type { DriverSnapshot } from "./messages.js";
import type { Options } from "./options.js";
import { Registry } from "./registry.js";
import { membersOf, remove } from "./removal.js";
import { assertCapturable, sourceOf } from "./source.js";
import { madeOf, plan, request } from "./underway.js";

/** From prepare to commit, by the transaction's id: the commit reads no file. */
const prepared = new Map<string, readonly Cut[]>();

/** What must survive a crash is in the registry, before the driver is asked for it. */
const provider: Provider<Options> = {
  async match(volume, ctx) {
    if (sourceOf(volume, ctx) === null) return null;
    assertCapturable(volume);
    using connection = new Connection(ctx);
    await assertReady(connection);
    const driver = await driverOf(connection, ctx);
    methodOf(driver, 1, ctx.options);
    // The kernel makes the instant, whatever the driver promises of its groups.
    const hold = [{ kind: "fs" as const, mount: volume.mountPoint }];
    return { pointInTime: true, hold, writable: false, method: "CSI snapshot", where: driver.name };
  },

  async prepare(tx, volumes, ctx) {
    using connection = new Connection(ctx);
    await assertReady(connection);
    const driver = await driverOf(connection, ctx);
    const method = methodOf(driver, volumes.length, ctx.options);
    const registry = new Registry(ctx);
    const held = { as: "planned", method, parameters: ctx.options.snapshotParameters } as const;
    const entries = volumes.map((volume, index): Entry => {
      const source = sourceOf(volume, ctx);
      if (source === null) throw unmapped(volume.mountPoint);
      assertCapturable(volume);
      const id = `${tx.id}.${index}`;
      const createdAt = new Date().toISOString();
      return { version: 1, id, setId: tx.id, volume, source, createdAt, held };
    });
    const cuts = cutsOf(entries);
    for (const cut of cuts) plan(cut);
    for (const entry of entries) registry.write(entry);
    prepared.set(tx.id, cuts);
    return {
      hold: volumes.map(({ mountPoint }) => ({ kind: "fs", mount: mountPoint })),
      commit: [{ op: "plugin" }],
    };
  },

  async commit(tx, ctx) {
    using connection = new Connection(ctx);
    const cuts = prepared.get(tx.id) ?? [];
    const requests = await Promise.allSettled(cuts.map((cut) => request(cut, connection)));
    const failed = requests.find((one) => one.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  },

  async seal(tx, ctx) {
    using connection = new Connection(ctx);
    const driver = await driverOf(connection, ctx);
    const registry = new Registry(ctx);
    const sealed: Entry[] = [];
    for (const cut of prepared.get(tx.id) ?? []) {
      ctx.progress(`${cut.name} gets ready`);
      const { made: first, at } = madeOf(cut);
      const made = await waitUntilReady(cut, first, driver, connection);
      const group = made.groupId === null ? null : { id: made.groupId, removal: "not-asked" as const };
      for (const entry of cut.entries) {
        const snapshot = snapshotFor(entry, made, cut);
        const { snapshotId, sizeBytes } = snapshot;
        const held = { as: "snapshot" as const, snapshotId, sizeBytes, cutAt: cutAtOf(snapshot), group };
        sealed.push(registry.write({ ...entry, createdAt: at.toISOString(), held }));
      }
    }
    prepared.delete(tx.id);
    return sealed.map(toSnapshot);
  },

  async abort(tx, ctx) {
    using connection = new Connection(ctx);
    const registry = new Registry(ctx);
    const errors: unknown[] = [];
    // Forks first: an unfinished one is found by way of its snapshot.
    for (const { id } of registry.ofSet(tx.id).toReversed()) {
      const entry = registry.find(id);
      if (entry === undefined) continue;
      await remove(entry, registry, connection, ctx).catch((error: unknown) => errors.push(error));
    }
    if (errors.length > 0) throw errors[0];
    prepared.delete(tx.id);
  },

  async list(ctx) {
    using connection = new Connection(ctx);
    const registry = new Registry(ctx);
    const listed: Snapshot[] = [];
    for (const entry of registry.all()) {
      const driver = await driverOf(connection, ctx);
      const lost = (await isThere(entry, driver, registry, connection)) ? {} : { lost: "the driver no longer has it" };
      const known = entry.of === undefined ? { volume: entry.volume } : {};
      listed.push({ ...toSnapshot(entry), ...known, ...lost });
    }
    return listed;
  },

  async expose(snapshot, view, ctx) {
    using connection = new Connection(ctx);
    const registry = new Registry(ctx);
    // Awaited here: the connection is open only until the end of this block.
    return await expose(find(snapshot, registry), view, registry, connection, ctx);
  },

  async unexpose({ id }, ctx) {
    using connection = new Connection(ctx);
    const registry = new Registry(ctx);
    const entry = registry.find(id);
    if (entry !== undefined) await unexpose(entry, registry, connection, ctx);
  },

  async fork(snapshot, ctx) {
    using connection = new Connection(ctx);
    const registry = new Registry(ctx);
    const { shown: _, ...cut } = find(snapshot, registry);
    const { held } = cut;
    if (held.as !== "snapshot") {
      throw new PluginError("UNSUPPORTED", `${cut.id} is not a snapshot as it was cut.`, "Fork that one.");
    }
    const id = nextId(cut, registry);
    const planned = { ...cut, id, of: cut.id, held: { as: "fork" as const, sizeBytes: held.sizeBytes, volume: null } };
    registry.write(planned);
    const volume = await makeVolume(nameOf.own(id), cut, connection, ctx).catch((error: unknown) => {
      if (!leavesOpen(error)) registry.remove(id);
      throw error;
    });
    return toSnapshot(registry.write({ ...planned, held: { ...planned.held, volume } }));
  },

  async remove({ id }, ctx) {
    using connection = new Connection(ctx);
    const registry = new Registry(ctx);
    const entry = registry.find(id);
    if (entry !== undefined) await remove(entry, registry, connection, ctx);
  },
};
export default provider;

/** A snapshot of which it is not known whether it was taken counts as there: `recover` finds out. */
async function isThere(entry: Entry, driver: Driver, registry: Registry, connection: Connection): Promise<boolean> {
  const { held } = entry;
  if (held.as === "planned") return true;
  if (held.as === "fork") return held.volume === null || hasVolume(held.volume, entry, connection);
  const groupId = held.group?.id ?? null;
  const members = groupId === null ? [] : membersOf(entry.setId, groupId, registry);
  const snapshotIds = groupId === null ? [held.snapshotId] : members.map((one) => one.held.snapshotId);
  const seen = await look({ groupId, snapshotIds }, connection, driver);
  if (seen === "not-shown") return true;
  return seen !== "gone" && seen.snapshots.some(({ snapshotId }) => snapshotId === held.snapshotId);
}

function find({ id }: Snapshot, registry: Registry): Entry {
  const entry = registry.find(id);
  if (entry !== undefined && entry.held.as !== "planned") return entry;
  const message = `The snapshot ${id} does not exist, or is not complete.`;
  throw new PluginError("UNKNOWN_SNAPSHOT", message, "`holdstill providers` lists all.");
}

function nextId({ setId }: Entry, registry: Registry): string {
  const numbers = registry.ofSet(setId).map(({ id }) => Number(id.slice(id.lastIndexOf(".") + 1)));
  return `${setId}.${Math.max(...numbers) + 1}`;
}

function cutAtOf({ creationTime }: DriverSnapshot): string | null {
  const seconds = creationTime?.seconds ?? 0;
  return seconds > 0 ? new Date(seconds * 1000).toISOString() : null;
}

function unmapped(mountPoint: string): PluginError {
  const message = `${mountPoint} is not a volume of the CSI driver any more.`;
  return new PluginError("UNSUPPORTED", message, "Run the command again.");
}
