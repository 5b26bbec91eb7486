import type { Context, Snapshot, Space } from "holdstill/plugin";
import { formatBytes, parseSize } from "#kit/size.js";
import { type LogicalVolume, pathOf } from "./logical-volume.js";
import type { Options } from "./options.js";
import { poolOf } from "./origin.js";
import { PluginError } from "./errors.js";

/** Fuller than this is worth a warning, percent. */
const WARN = 80;
/** What `auto` would like, and the least that it takes, shares of the origin. */
const AUTO = { wish: 0.2, least: 0.05 };
/** The least space of a thick snapshot, bytes. */
const LEAST = 16 * 2 ** 20;
/** A store for all of the origin needs this much more for its tables: 16 bytes for each chunk of 4 KiB, and a chunk each way. */
const TABLES = 1 + 1 / 256;

/** What a snapshot takes beside what it keeps, as a factor. */
const SLACK = 1.1;

/**
 * The space of each thick snapshot, bytes, in the order of the origins; or why they do not fit.
 *
 * @throws PluginError NO_SPACE
 */
export function sizesOf(origins: readonly LogicalVolume[], { size }: Pick<Options, "size">): number[] {
  const free = new Map(origins.map(({ vg }) => [vg.name, vg.freeBytes]));
  const need = new Map<string, number>();
  const wishes = origins.map((origin) => inExtents(origin, wishOf(origin, size)));
  for (const [at, { vg }] of origins.entries()) need.set(vg.name, (need.get(vg.name) ?? 0) + (wishes[at] ?? 0));
  return origins.map((origin, at) => {
    const [has, wants] = [free.get(origin.vg.name) ?? 0, need.get(origin.vg.name) ?? 0];
    const wish = wishes[at] ?? 0;
    if (wants <= has) return wish;
    const share = Math.floor((wish * has) / wants / origin.vg.extentBytes) * origin.vg.extentBytes;
    if (size === "auto" && share >= Math.max(LEAST, origin.bytes * AUTO.least)) return share;
    const message = `Volume group ${origin.vg.name} has ${formatBytes(has)} free; the snapshots of it need ${formatBytes(wants)}.`;
    const hint = `Extend it: vgextend ${origin.vg.name} DEVICE; or lower the option \`size\`.`;
    throw new PluginError("NO_SPACE", message, hint);
  });
}

/** Where a snapshot of the origin will be, for the plan: with `auto`, the least that it takes. */
export function spaceOf(origin: LogicalVolume, all: readonly LogicalVolume[], { size }: Pick<Options, "size">): Space {
  const pool = poolOf(origin, all);
  if (pool !== null) {
    const { data } = pool.full;
    return {
      pool: pathOf(pool),
      ...(data === null ? {} : { freeBytes: Math.floor((pool.bytes * (100 - data)) / 100) }),
    };
  }
  const { name, freeBytes, volumes } = origin.vg;
  const wish = size === "auto" ? origin.bytes * AUTO.least : wishOf(origin, size);
  return {
    pool: name,
    neededBytes: inExtents(origin, wish),
    freeBytes,
    ...(volumes.limit === 0 ? {} : { snapshots: { limit: volumes.limit, used: volumes.count } }),
  };
}

/**
 * Space for a second snapshot of the origin while a first one is put back, bytes: that overwrites as much as the first has saved. As
 * large as any other if the volume group has the space.
 *
 * @throws PluginError NO_SPACE
 */
export function spaceBeside(first: LogicalVolume, origin: LogicalVolume, { size }: Pick<Options, "size">): number {
  const { freeBytes, extentBytes, name } = origin.vg;
  const kept = (first.bytes * (first.full.data ?? 100)) / 100;
  const least = inExtents(origin, kept * SLACK + LEAST);
  const free = Math.floor(freeBytes / extentBytes) * extentBytes;
  if (least <= free) return Math.max(least, Math.min(inExtents(origin, wishOf(origin, size)), free));
  const message = `Volume group ${name} has ${formatBytes(free)} free; another snapshot of ${pathOf(origin)} needs ${formatBytes(least)}.`;
  throw new PluginError("NO_SPACE", message, "Extend the volume group.");
}

function wishOf({ bytes }: LogicalVolume, size: string): number {
  return size === "auto" ? bytes * AUTO.wish : parseSize(size, bytes);
}

/** Rounded up, and never more than a copy of the whole origin takes. */
function inExtents({ vg, bytes }: LogicalVolume, wish: number): number {
  const most = bytes * TABLES + vg.extentBytes;
  return Math.ceil(Math.min(Math.max(wish, LEAST), most) / vg.extentBytes) * vg.extentBytes;
}

/**
 * Checks that a thin pool can take another snapshot, which needs space only for what changes.
 *
 * @throws PluginError POOL_FULL
 */
export function assertSpace(pool: LogicalVolume, { poolLimit }: Options, ctx: Context): void {
  if (pool.health !== "") {
    const message = `Thin pool ${pathOf(pool)} has a health problem: ${pool.health}.`;
    throw new PluginError("POOL_FULL", message, "Extend or repair it first: lvextend(8), lvmthin(7).");
  }
  for (const [what, percent] of Object.entries(pool.full)) {
    if (percent === null) continue;
    if (percent > poolLimit) {
      const message = `Thin pool ${pathOf(pool)} has its ${what} ${percent} % full; the limit is ${poolLimit} %.`;
      const extend = what === "data" ? "-L +SIZE" : "--poolmetadatasize +SIZE";
      throw new PluginError("POOL_FULL", message, `Extend it: lvextend ${extend} ${pathOf(pool)}; or raise poolLimit.`);
    }
    warn(`thin pool ${pathOf(pool)}: its ${what}`, percent, ctx);
  }
}

/** @throws PluginError INVALID */
export function assertWhole(snapshot: LogicalVolume): void {
  if (!snapshot.isInvalid) return;
  const message = `The snapshot ${pathOf(snapshot)} is lost: more has changed than fits into it.`;
  throw new PluginError("INVALID", message, "Delete its set; give the next one more space with the option `size`.");
}

/** How full a snapshot, or its pool, is; null if LVM does not report it, as for a volume that is not active. */
export function usageOf(snapshot: LogicalVolume, all: readonly LogicalVolume[]): NonNullable<Snapshot["usage"]> | null {
  const store = poolOf(snapshot, all) ?? snapshot;
  const percents = [store.full.data, store.full.metadata].filter((percent) => percent !== null);
  return percents.length === 0 ? null : { percent: Math.max(...percents), where: pathOf(store) };
}

/** Warns if a snapshot, or its pool, fills up. */
export function watch(snapshot: LogicalVolume, all: readonly LogicalVolume[], ctx: Context): void {
  const pool = poolOf(snapshot, all);
  if (pool === null) return warn(`snapshot ${pathOf(snapshot)}`, snapshot.full.data, ctx);
  warn(`thin pool ${pathOf(pool)}: its data`, pool.full.data, ctx);
  warn(`thin pool ${pathOf(pool)}: its metadata`, pool.full.metadata, ctx);
}

function warn(what: string, percent: number | null, ctx: Context): void {
  if (percent !== null && percent >= WARN) ctx.log.warn(`${what} is ${percent} % full`, { percent });
}
