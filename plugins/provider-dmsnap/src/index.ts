import type { Context, Provider, Snapshot } from "holdstill/plugin";
import { findByUuid } from "./devices.js";
import { ready } from "./cut.js";
import { fork } from "./fork.js";
import { revert } from "./merge.js";
import { type Fill, Mapper } from "./mapper.js";
import { snapshotOf } from "./names.js";
import type { Options } from "./options.js";
import { isObstacle, originOf } from "./origin.js";
import { assertSound, hide, show } from "./picture.js";
import { isDetached } from "./reassembly.js";
import { Refusal } from "./refusal.js";
import { type Entry, Registry } from "./registry.js";
import { remove, undo } from "./removal.js";
import { formatBytes, roomFor } from "./size.js";
import { placeOf } from "./store.js";

/** From here on a snapshot's store is nearly full. */
const NEARLY = 0.8;

/** Keeps nothing in variables: each call reads the registry and the kernel's tables, and so a blank process can go on after a crash. */
const provider: Provider<Options> = {
  async match(volume, ctx) {
    const found = await originOf(volume, new Mapper(ctx));
    if (isObstacle(found)) {
      const mend = found.mend === null ? "" : `; to have it captured, ${found.mend}`;
      ctx.log.info(`not captured here: ${volume.mountPoint}: ${found.why}${mend}`, { volume: volume.id });
      return null;
    }
    const { options, dataDir } = ctx;
    const place = placeOf(options, dataDir);
    const persistent = options.persistent && place.kind !== "memory";
    const room = formatBytes(roomFor(options.size, found.sectors * 512));
    return {
      pointInTime: true,
      atomicGroup: true,
      hold: [{ kind: "dm", name: found.name }],
      revert: persistent,
      writable: true,
      method: `snapshot of ${found.name}, ${persistent ? "persistent" : "transient"}, room for ${room} of changes`,
      where: place.kind === "memory" ? "memory" : place.path,
    };
  },

  prepare: (tx, volumes, ctx) => ready(tx, volumes, new Registry(ctx), ctx),

  async seal(tx, ctx) {
    const registry = new Registry(ctx);
    const mapper = new Mapper(ctx);
    const sealed: Snapshot[] = [];
    for (const entry of registry.ofSet(tx.id)) {
      await assertSound(entry, registry, mapper);
      sealed.push(await describe(registry.write({ ...entry, state: "sealed" }), ctx));
    }
    return sealed;
  },

  abort: (tx, ctx) => undo(tx.id, new Registry(ctx), ctx),

  list(ctx) {
    const entries = new Registry(ctx).readable((complaint) => ctx.log.warn(complaint));
    return Promise.all(entries.map((entry) => describe(entry, ctx)));
  },

  async expose(snapshot, view, ctx) {
    const registry = new Registry(ctx);
    const entry = registry.find(snapshot.id);
    if (entry?.state !== "sealed") throw unknown(snapshot);
    return show(entry, view, registry, ctx);
  },

  async conceal(snapshot, ctx) {
    const registry = new Registry(ctx);
    const entry = registry.find(snapshot.id);
    if (entry !== undefined) await hide(entry, registry, ctx);
  },

  async remove(snapshot, ctx) {
    const registry = new Registry(ctx);
    const entry = registry.find(snapshot.id);
    if (entry !== undefined) await remove(entry, registry, ctx);
  },

  async fork(snapshot, ctx) {
    const registry = new Registry(ctx);
    const entry = registry.find(snapshot.id);
    if (entry?.state !== "sealed") throw unknown(snapshot);
    return describe(await fork(entry, registry, ctx), ctx);
  },

  async revert(snapshot, ctx) {
    const registry = new Registry(ctx);
    const entry = registry.find(snapshot.id);
    if (entry === undefined || entry.state === "planned") throw unknown(snapshot);
    await revert(entry, registry, ctx);
  },
};
export default provider;

function stateOf(entry: Entry, fill: Fill | null): string {
  if (fill === null) return isDetached(entry) ? "detached" : entry.state === "sealed" ? "gone" : entry.state;
  return fill.state === "invalid" ? "invalid" : entry.state;
}

function unknown({ id }: Snapshot): Refusal {
  return new Refusal("UNKNOWN_SNAPSHOT", `There is no whole snapshot ${id}.`, "See `holdstill list`.");
}

/** What is known of a snapshot now, its store's fill included. */
async function describe(entry: Entry, ctx: Context<Options>): Promise<Snapshot> {
  const { id, setId, volumeId, createdAt, origin, store, exceptions, paths } = entry;
  const { name, uuid } = snapshotOf(entry);
  const device = findByUuid(uuid);
  const fill = device === undefined ? null : await new Mapper(ctx).fill(name);
  const used = fill?.state === "valid" ? fill.usedSectors / fill.totalSectors : null;
  if (used !== null && used >= NEARLY) {
    ctx.log.warn(
      `the store of ${id} (${origin.name}) is ${Math.round(used * 100)} % full: when it overflows, the snapshot is lost`,
    );
  }
  return {
    id,
    ...(entry.of === undefined ? {} : { of: entry.of }),
    setId,
    volumeId,
    createdAt,
    bytes: store.bytes,
    method: `dm-snapshot, ${exceptions}`,
    facts: {
      state: stateOf(entry, fill),
      ...(used === null ? {} : { used: Math.round(used * 1000) / 1000 }),
      origin: origin.name,
      device: name,
      store,
      paths,
    },
  };
}
