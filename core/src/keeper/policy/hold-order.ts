import type { HoldPoint } from "../../base/schema/types.js";
import { type Layer, layersOfPoint, mountOfPoint } from "./layers.js";
import { carriedBy } from "./refusals.js";
import type { Surroundings } from "./system-tables.js";
import type { Identity, Station } from "../wire.js";

/** A thing to hold, and the points that name it. */
export interface Stop {
  readonly station: Station;
  readonly points: readonly HoldPoint[];
}

/**
 * What is to be held, each thing once, and in what order. Whatever lies on another point comes before it, or else its own
 * flush would wait for that hold; all others at a time. What carries `/` or holdstill itself comes last.
 */
export function orderOf(points: readonly HoldPoint[], around: Surroundings): Stop[] {
  const groups = new Map<Layer, { points: HoldPoint[]; below: Layer[] }>();
  for (const point of points) {
    const [own, ...below] = layersOfPoint(point, around);
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
    const point = named[0] as HoldPoint;
    const isLast = carriedBy(point, around).length > 0;
    const rank = height(layer) + (isLast ? groups.size : 0);
    return { station: { point, identity: identityOf(point, around), rank }, points: named };
  });
}

function identityOf(point: HoldPoint, around: Surroundings): Identity | null {
  const mount = mountOfPoint(point, around);
  return mount === null ? null : { mountId: mount.id, number: mount.number, fsType: mount.fsType };
}
