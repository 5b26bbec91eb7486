import type { FileSystemVolume, Snapshot, View } from "holdstill/plugin";
import type { GroupRef, ImageRef } from "./messages.js";
import type { Way } from "./source.js";

/** How the snapshot of an image is taken: alone, or as a member of its group. */
export type Cut = { readonly by: "image" } | { readonly by: "group"; readonly group: GroupRef };

/** All that is known of one snapshot or fork. It is in the journal of its pool before the cluster is asked for anything. */
export interface Entry {
  readonly version: 1;
  /** Snapshot.id: the set's id, a dot, and the number of the snapshot in the set. */
  readonly id: string;
  readonly setId: string;
  /** Of a fork: the id of its snapshot. */
  readonly of?: string;
  /** machine-id(5) of the host that took it: hosts share the cluster. */
  readonly host: string;
  readonly volume: FileSystemVolume;
  readonly image: ImageRef;
  /** Of the image, when it was captured. */
  readonly imageName: string;
  readonly way: Way;
  readonly createdAt: string;
  readonly held: Planned | Taken | Fork;
  readonly shown?: Shown;
}

/** The cluster may have been asked for it. */
interface Planned {
  readonly as: "planned";
  readonly cut: Cut;
  readonly removal?: "asked";
}

export interface Taken {
  readonly as: "snapshot";
  readonly cut: Cut;
  /** Of the image's snapshot, in the cluster. */
  readonly snapshot: number;
  /** A group's snapshot is removed with the last of its members in the set. */
  readonly removal?: "asked";
}

/** An image with the contents of a snapshot. */
interface Fork {
  readonly as: "fork";
  readonly state: "planned" | "made";
}

export interface Shown {
  readonly view: View;
  /** Whether the image that is shown is the fork itself, or was made for the view. */
  readonly image: "itself" | "made for it";
}

/** Names in the cluster, from the ids: a second request finds what the first one made. */
export const nameOf = {
  /** Of an image's own snapshot. */
  snapshot: ({ id }: Pick<Entry, "id">): string => `holdstill.${id}`,
  groupSnapshot: (setId: string): string => `holdstill.${setId}`,
  /** Of the image of a fork. */
  fork: ({ id }: Pick<Entry, "id">): string => `holdstill.${id}`,
  /** Of the image that is made for a view. */
  view: ({ id }: Pick<Entry, "id">): string => `holdstill.${id}.view`,
};

/** As the host records it. */
export function toSnapshot(entry: Entry, fsid: string): Snapshot {
  const { id, of, setId, volume, createdAt, image, imageName, held } = entry;
  const name = held.as === "fork" ? nameOf.fork(entry) : snapshotName(entry, held.cut);
  return {
    id,
    ...(of === undefined ? {} : { of }),
    setId,
    volumeId: volume.id,
    createdAt,
    method: methodOf(entry),
    facts: { cluster: fsid, pool: image.pool, namespace: image.namespace, image: imageName, name },
  };
}

export const snapshotName = (entry: Pick<Entry, "id" | "setId">, cut: Cut): string =>
  cut.by === "image" ? nameOf.snapshot(entry) : nameOf.groupSnapshot(entry.setId);

function methodOf({ held }: Entry): string {
  if (held.as === "fork") return "RBD image";
  return held.cut.by === "group" ? "RBD group snapshot" : "RBD snapshot";
}

export function isEntry(value: Partial<Entry> | null): value is Entry {
  return value?.version === 1 && typeof value.id === "string" && typeof value.setId === "string";
}
