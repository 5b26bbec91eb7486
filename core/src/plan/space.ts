import { HoldstillError } from "../base/errors/error.js";
import { volumeName } from "../base/display/volume-name.js";
import type { PlannedVolume, Space } from "../base/schema/types.js";

/**
 * Refuses what a pool has no place for, by the figures of its provider: `prepare` would only find out after other work was done.
 *
 * @throws HoldstillError E_PLAN_SPACE, E_PLAN_SNAPSHOTS
 */
export function refuseSpace(volumes: readonly PlannedVolume[]): void {
  for (const { provider, pool, names, spaces } of poolsOf(volumes)) {
    const known = { provider, volumes: names, ...(pool === undefined ? {} : { pool }) };
    const neededBytes = spaces.reduce((sum, space) => sum + (space.neededBytes ?? 0), 0);
    const freeBytes = Math.min(...spaces.map((space) => space.freeBytes ?? Infinity));
    if (neededBytes > freeBytes) throw new HoldstillError("E_PLAN_SPACE", { ...known, neededBytes, freeBytes });
    for (const { snapshots } of spaces)
      if (snapshots !== undefined && snapshots.used + spaces.length > snapshots.limit)
        throw new HoldstillError("E_PLAN_SNAPSHOTS", { ...known, ...snapshots });
  }
}

/** What is taken from one pool of one provider. A volume without a pool is alone. */
interface TakenOfPool {
  readonly provider: string;
  readonly pool: string | undefined;
  readonly names: string[];
  readonly spaces: Space[];
}

function poolsOf(volumes: readonly PlannedVolume[]): Iterable<TakenOfPool> {
  const pools = new Map<string, TakenOfPool>();
  for (const { provider, volume, qualities } of volumes) {
    const { space } = qualities;
    if (space === undefined) continue;
    const { pool } = space;
    const key = JSON.stringify(pool === undefined ? [volume.id] : [provider, pool]);
    const taken = pools.get(key) ?? { provider, pool, names: [], spaces: [] };
    taken.names.push(volumeName(volume));
    taken.spaces.push(space);
    pools.set(key, taken);
  }
  return pools.values();
}
