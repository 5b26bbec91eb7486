import type { HoldTarget } from "../../base/schema/types.js";
import { type Layer, layersOfTarget, mountOfTarget } from "./layers.js";
import { carriedBy } from "./refusals.js";
import type { SystemState } from "./system-tables.js";
import type { FileSystemIdentity, ArmTarget } from "../wire.js";

/** A thing to hold, and the points that name it. */
export interface OrderedTarget {
  readonly station: ArmTarget;
  readonly points: readonly HoldTarget[];
}

/**
 * What is to be held, each thing once, and in what order. Whatever lies on another point comes before it, or else its own
 * flush would wait for that hold; all others at a time. What carries `/` or holdstill itself comes last.
 */
export function holdOrder(points: readonly HoldTarget[], around: SystemState): OrderedTarget[] {
  const groups = new Map<Layer, { points: HoldTarget[]; below: Layer[] }>();
  for (const point of points) {
    const [own, ...below] = layersOfTarget(point, around);
    if (own === undefined) continue;
    const known = groups.get(own);
    if (known === undefined) groups.set(own, { points: [point], below });
    else known.points.push(point);
  }
  const height = (layer: Layer): number => {
    const above = [...groups].filter(([other, { below }]) => other !== layer && below.includes(layer));
    return above.reduce((most, [other]) => Math.max(most, height(other) + 1), 0);
  };
  return [...groups].map(([layer, { points: named }]) => {
    const target = named[0] as HoldTarget;
    const isLast = carriedBy(target, around).length > 0;
    const rank = height(layer) + (isLast ? groups.size : 0);
    return { station: { target, identity: identityOf(target, around), rank }, points: named };
  });
}

function identityOf(point: HoldTarget, around: SystemState): FileSystemIdentity | null {
  const mount = mountOfTarget(point, around);
  return mount === null ? null : { mountId: mount.id, number: mount.number, fsType: mount.fsType };
}
