/** Begins the UUID of every device that this plugin makes. A device without it is never touched. */
const OURS = "HOLDSTILL-DMSNAP-";

/** A device of this plugin. Its name is for people; its UUID identifies it. */
export interface Label {
  readonly name: string;
  readonly uuid: string;
}

/** The longest name of an origin, bytes: the names of its snapshots are longer, and the kernel's limit is 127 (DM_NAME_LEN). */
export const LONGEST_ORIGIN = 64;

/** What a snapshot's names are made of. */
interface Named {
  readonly id: string;
  readonly origin: { readonly name: string };
}

/** Carries the origin's own table while snapshots of it exist. */
export function realOf(origin: string): Label {
  return { name: `${origin}-holdstill-real`, uuid: `${OURS}real-${origin}` };
}

/** The snapshot itself. */
export function snapshotOf({ id, origin }: Named): Label {
  return { name: `${origin.name}-holdstill-${id}`, uuid: `${OURS}snapshot-${id}` };
}

/** What it shows as long as nothing is written: the origin, or for a fork the snapshot. */
export function belowOf({ of, origin }: { of?: string; origin: Named["origin"] }): Label {
  return of === undefined ? realOf(origin.name) : snapshotOf({ id: of, origin });
}

/** The id of the snapshot whose device that is. */
export function idOf(uuid: string): string | undefined {
  return /^HOLDSTILL-DMSNAP-snapshot-(.+\.[0-9]+)$/.exec(uuid)?.[1];
}

/** A throw-away layer over the snapshot: what a mounted file system writes goes there. */
export function layerOf(entry: Named): Label {
  return { name: `${snapshotOf(entry).name}-layer`, uuid: `${OURS}layer-${entry.id}` };
}

/** A slice of a block device that is the store of the snapshot or of its layer. */
export function sliceOf(of: Label): Label {
  return { name: `${of.name}-cow`, uuid: `${of.uuid}-cow` };
}

export function isOurs(uuid: string): boolean {
  return uuid.startsWith(OURS);
}
