import type { Context, Provider, Snapshot, Volume } from "holdstill/plugin";
import { formatBytes } from "#kit/size.js";
import { mountOnce } from "#kit/mount-once.js";
import { readOnce } from "#kit/read-once.js";
import { nameOf } from "#kit/volume-name.js";
import { findByUuid } from "#kit/mapped-devices.js";
import { prepare } from "./prepare.js";
import type { Entry } from "./entry.js";
import { fork } from "./fork.js";
import { preserve, revert } from "./merge.js";
import { Mapper } from "./mapper.js";
import { snapshotOf } from "./names.js";
import type { Options } from "./options.js";
import { isObstacle, originOf } from "./origin.js";
import { assertSound, expose, unexpose } from "./exposure.js";
import { isAway, isDetached } from "./reassembly.js";
import { PluginError } from "./errors.js";
import { Registry } from "./registry.js";
import { remove, undo } from "./removal.js";
import { spaceFor } from "./size.js";
import { awayReasonOf, freeIn, placeOf } from "./store.js";
import { register, unregistered, volumeOf } from "./unregistered.js";

/** From here on, a warning shows that a snapshot's store is nearly full. */
const NEARLY = 0.8;

/** Has no state in memory: each call reads the registry and the kernel's tables, so a new process can continue after a crash. */
const provider: Provider<Options, Volume> = {
  async match(volume, ctx) {
    const found = await originOf(volume, new Mapper(ctx));
    if (isObstacle(found)) {
      const remedy = found.remedy === null ? "" : `; to have it captured, ${found.remedy}`;
      ctx.log.info(`not captured here: ${nameOf(volume)}: ${found.reason}${remedy}`, { volume: volume.id });
      return null;
    }
    const { options, dataDir } = ctx;
    const place = placeOf(options, dataDir);
    const persistent = options.persistent && place.kind !== "memory";
    const neededBytes = spaceFor(options.size, found.sectors * 512);
    return {
      pointInTime: true,
      hold: [{ kind: "dm", name: found.name }],
      revert: persistent,
      writable: true,
      method: `snapshot of ${found.name}, ${persistent ? "persistent" : "transient"}, space for ${formatBytes(neededBytes)} of changes`,
      where: place.kind === "memory" ? "memory" : place.path,
      space: { pool: place.path, neededBytes, ...freeIn(place) },
    };
  },

  prepare: (tx, volumes, ctx) => prepare(tx, volumes, new Registry(ctx), ctx),

  async seal(tx, ctx) {
    const registry = new Registry(ctx);
    const mapper = new Mapper(ctx);
    const sealed: Snapshot[] = [];
    for (const entry of registry.ofSet(tx.id)) {
      await assertSound(entry, registry, mapper);
      await assertOpens(entry, ctx);
      sealed.push(describe(registry.write({ ...entry, state: "sealed" })));
    }
    return sealed;
  },

  abort: (tx, ctx) => undo(tx.id, new Registry(ctx), ctx),

  async list(ctx) {
    const registry = new Registry(ctx);
    const entries = registry.readable((message) => ctx.log.warn(message));
    const known = await Promise.all(entries.filter((entry) => !isAway(entry)).map((entry) => current(entry, ctx)));
    const others = (await unregistered(registry, ctx)).map(async (entry): Promise<Snapshot> => {
      const volume = volumeOf(entry);
      return { ...(await current(entry, ctx)), ...(volume === undefined ? {} : { volume }) };
    });
    const snapshots = [...known, ...(await Promise.all(others))];
    const unseen = new Set(entries.flatMap((entry) => (isAway(entry) ? (awayReasonOf(entry.store) ?? []) : [])));
    return unseen.size === 0
      ? snapshots
      : { snapshots, unseen: [...unseen].map((reason) => `${reason} ${registry.remedy}`) };
  },

  async expose(snapshot, view, ctx) {
    const registry = new Registry(ctx);
    const entry = await find(snapshot, registry, ctx);
    if (entry?.state !== "sealed") throw unknown(snapshot);
    return expose(entry, view, registry, ctx);
  },

  async unexpose(snapshot, ctx) {
    const registry = new Registry(ctx);
    const entry = await find(snapshot, registry, ctx);
    if (entry !== undefined) await unexpose(entry, registry, ctx);
  },

  async remove(snapshot, ctx) {
    const registry = new Registry(ctx);
    const entry = await find(snapshot, registry, ctx);
    if (entry !== undefined) await remove(entry, registry, ctx);
  },

  async fork(snapshot, ctx) {
    const registry = new Registry(ctx);
    const entry = await find(snapshot, registry, ctx);
    if (entry?.state !== "sealed") throw unknown(snapshot);
    return describe(await fork(entry, registry, ctx));
  },

  async preserve(snapshot, tx, ctx) {
    const registry = new Registry(ctx);
    const entry = await find(snapshot, registry, ctx);
    if (entry === undefined || entry.state === "planned") throw unknown(snapshot);
    return describe(await preserve(entry, tx, registry, ctx));
  },

  async revert(snapshot, ctx) {
    const registry = new Registry(ctx);
    const entry = await find(snapshot, registry, ctx);
    if (entry === undefined || entry.state === "planned") throw unknown(snapshot);
    await revert(entry, registry, ctx);
  },
};
export default provider;

/** Nothing is promised of a snapshot that cannot be opened. @throws PluginError MOUNT, TARGET_CHANGED, UNREADABLE, UNKNOWN_SNAPSHOT */
async function assertOpens(entry: Entry, ctx: Context<Options>): Promise<void> {
  const device = findByUuid(snapshotOf(entry).uuid);
  if (device === undefined) throw unknown(entry);
  if (entry.kind === "block") return readOnce(device, ctx);
  const captured = entry.paths.map((original, at) => ({ original, inner: entry.inner[at] ?? "/" }));
  await mountOnce(device.node, entry.fsType, captured, entry.id, ctx);
}

/** undefined: it does not exist any more. */
async function find({ id, setId }: Snapshot, registry: Registry, ctx: Context<Options>): Promise<Entry | undefined> {
  if (!registry.ids().includes(id)) await register(setId, registry, ctx);
  return registry.find(id);
}

function unknown({ id }: Pick<Snapshot, "id">): PluginError {
  return new PluginError(
    "UNKNOWN_SNAPSHOT",
    `The snapshot ${id} does not exist, or is not complete.`,
    "`holdstill list` has all snapshots.",
  );
}

/** As the host keeps it. */
function describe(entry: Entry): Snapshot {
  const { id, of, setId, volumeId, createdAt, origin, store, exceptions, paths, state } = entry;
  const device = snapshotOf(entry).name;
  return {
    id,
    ...(of === undefined ? {} : { of }),
    setId,
    volumeId,
    createdAt,
    bytes: store.bytes,
    method: `dm-snapshot, ${exceptions}`,
    facts: { state, origin: origin.name, device, store, paths },
  };
}

/** How it is now, with how full its store is. */
async function current(entry: Entry, ctx: Context<Options>): Promise<Snapshot> {
  const snapshot = describe(entry);
  const { name, uuid } = snapshotOf(entry);
  const device = findByUuid(uuid);
  if (device === undefined) return { ...snapshot, ...withoutDevice(entry) };
  const usage = await new Mapper(ctx).usage(name);
  if (usage.state === "invalid") {
    // While it is prepared it has no table yet.
    return entry.state === "planned"
      ? snapshot
      : { ...snapshot, lost: `it overflowed (the kernel reports ${usage.reason})` };
  }
  const used = usage.usedSectors / usage.totalSectors;
  if (used >= NEARLY) {
    ctx.log.warn(
      `the store of ${entry.id} (${entry.origin.name}) is ${Math.round(used * 100)} % full: when it overflows, the snapshot is lost`,
    );
  }
  return { ...snapshot, usage: { percent: Math.round(used * 1000) / 10, where: name } };
}

function withoutDevice(entry: Entry): Partial<Snapshot> {
  if (isDetached(entry)) return { facts: { ...describe(entry).facts, state: "detached" } };
  return entry.state === "sealed" ? { lost: "its device is gone" } : {};
}
