import type { HoldTarget } from "../../base/schema/types.js";
import { type Layer, layersOfTarget, mountOfTarget } from "./layers.js";
import { carriedBy } from "./refusals.js";
import type { SystemState } from "./system-tables.js";
import type { FileSystemIdentity, ArmTarget } from "../wire.js";

/** A file system or device to hold, and all the plan's targets that name it. */
export interface OrderedTarget {
  readonly target: ArmTarget;
  readonly names: readonly HoldTarget[];
}

/**
 * What is to be held, each file system or device once, and in what order. A target that lies on another one is held before it: otherwise
 * its flush would wait for the other's hold. All others are held at the same time. What carries `/` or holdstill itself is held last.
 */
export function holdOrder(targets: readonly HoldTarget[], system: SystemState): OrderedTarget[] {
  const groups = new Map<Layer, { names: HoldTarget[]; below: Layer[] }>();
  for (const target of targets) {
    const [own, ...below] = layersOfTarget(target, system);
    if (own === undefined) continue;
    const known = groups.get(own);
    if (known === undefined) groups.set(own, { names: [target], below });
    else known.names.push(target);
  }
  const height = (layer: Layer): number => {
    const above = [...groups].filter(([other, { below }]) => other !== layer && below.includes(layer));
    return above.reduce((most, [other]) => Math.max(most, height(other) + 1), 0);
  };
  return [...groups].map(([layer, { names }]) => {
    const target = names[0] as HoldTarget;
    const isLast = carriedBy(target, system).length > 0;
    const rank = height(layer) + (isLast ? groups.size : 0);
    return { target: { target, identity: identityOf(target, system), rank }, names };
  });
}

function identityOf(target: HoldTarget, system: SystemState): FileSystemIdentity | null {
  const mount = mountOfTarget(target, system);
  return mount === null ? null : { mountId: mount.id, number: mount.number, fsType: mount.fsType };
}
