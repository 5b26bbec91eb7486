import type { Context, CriticalSection, Transaction, Volume } from "holdstill/plugin";
import { innerPath } from "#kit/paths.js";
import { nameOf } from "#kit/volume-name.js";
import type { Entry, Store } from "./entry.js";
import { generationOf } from "./generation.js";
import { Mapper } from "./mapper.js";
import { snapshotOf } from "./names.js";
import type { Options } from "./options.js";
import { type Captured, isObstacle, originOf } from "./origin.js";
import { readBootId } from "./reassembly.js";
import { PluginError } from "./errors.js";
import type { Registry } from "./registry.js";
import { spaceFor } from "./size.js";
import { makeReal, makeSnapshot, loadStackedTable } from "./stack.js";
import { allot, assertApart, make, placeOf } from "./store.js";

/**
 * Makes everything ready, so that the critical section only resumes each snapshot while all origins are suspended. The kernel's
 * rules (drivers/md/dm-snap.c):
 *
 * - a snapshot copies what is overwritten from its own resume on, so that must come while its origin is suspended;
 * - it sees writes that go through a `snapshot-origin` target on the same device: that table waits in the origin's inactive
 *   slot, and the resume that ends the hold makes it live, before the first write.
 */
export async function prepare(
  tx: Transaction,
  volumes: readonly Volume[],
  registry: Registry,
  ctx: Context<Options>,
): Promise<CriticalSection> {
  const mapper = new Mapper(ctx);
  const origins = await Promise.all(volumes.map((volume) => capturable(volume, mapper)));
  const place = placeOf(ctx.options, ctx.dataDir);
  assertApart(
    place,
    origins.map(({ name }) => name),
    registry.all(),
  );
  const wanted = origins.map(({ sectors }, index) => ({
    id: `${tx.id}.${index}`,
    bytes: spaceFor(ctx.options.size, sectors * 512),
  }));
  const stores = await allot(place, wanted, registry, ctx);
  const entries: Entry[] = [];
  for (const [index, volume] of volumes.entries()) {
    const [origin, store] = [origins[index], stores[index]];
    if (origin === undefined || store === undefined) throw new RangeError("each volume has an origin and a store");
    ctx.progress(`snapshot of ${origin.name}`, index, volumes.length);
    const generation = volume.kind === "block" ? null : await generationOf(volume.fsType, origin.node, ctx);
    const entry = registry.write(plan(`${tx.id}.${index}`, tx, volume, origin, store, generation, ctx));
    const number = await make(store, snapshotOf(entry), registry, ctx);
    await makeReal(origin, mapper);
    await makeSnapshot(entry, number, mapper);
    await loadStackedTable(origin, mapper);
    entries.push(entry);
  }
  return {
    hold: entries.map(({ origin }) => ({ kind: "dm", name: origin.name })),
    commit: [{ op: "parallel", chains: entries.map((entry) => [{ op: "dm-resume", device: snapshotOf(entry).name }]) }],
  };
}

async function capturable(volume: Volume, mapper: Mapper): Promise<Captured> {
  const found = await originOf(volume, mapper);
  if (!isObstacle(found)) return found;
  const hint = found.remedy === null ? "Use another provider for it." : `To have it captured, ${found.remedy}.`;
  throw new PluginError("UNSUPPORTED", `${nameOf(volume)} cannot be captured: ${found.reason}.`, hint);
}

function plan(
  id: string,
  tx: Transaction,
  volume: Volume,
  { name, uuid, sectors }: Captured,
  store: Store,
  generation: string | null,
  { options }: Context<Options>,
): Entry {
  const entry = {
    version: 1 as const,
    id,
    setId: tx.id,
    volumeId: volume.id,
    paths: volume.paths,
    origin: { name, uuid, sectors },
    store,
    exceptions: options.persistent && store.kind !== "memory" ? ("persistent" as const) : ("transient" as const),
    state: "planned" as const,
    createdAt: new Date().toISOString(),
    bootId: readBootId(),
    generation,
  };
  if (volume.kind === "block") return { ...entry, kind: volume.kind };
  const inner = volume.paths.map((captured) => innerPath(captured, volume));
  return { ...entry, fsType: volume.fsType, inner };
}
