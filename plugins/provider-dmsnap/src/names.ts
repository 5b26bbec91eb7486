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
  readonly kind?: Kind;
  readonly origin: { readonly name: string };
}

/** What was captured. Absent: a file system. */
export type Kind = "filesystem" | "block";

/** Carries the origin's own table while snapshots of it exist. */
export function realOf(origin: string): Label {
  return { name: `${origin}-holdstill-real`, uuid: `${OURS}real-${origin}` };
}

/** The snapshot itself. That it is of a raw device is known from the kernel alone, if the registry is lost. */
export function snapshotOf({ id, kind, origin }: Named): Label {
  return { name: `${origin.name}-holdstill-${id}`, uuid: `${OURS}${kind === "block" ? "raw" : "snapshot"}-${id}` };
}

/** What it shows as long as nothing is written: the origin, or for a fork the snapshot. */
export function belowOf({ of, ...rest }: Omit<Named, "id"> & { readonly of?: string }): Label {
  return of === undefined ? realOf(rest.origin.name) : snapshotOf({ ...rest, id: of });
}

/** The snapshot whose device that is. */
export function identityOf(uuid: string): { readonly id: string; readonly kind: Kind } | undefined {
  const [, type, id] = /^HOLDSTILL-DMSNAP-(snapshot|raw)-(.+\.[0-9]+)$/.exec(uuid) ?? [];
  return id === undefined ? undefined : { id, kind: type === "raw" ? "block" : "filesystem" };
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
