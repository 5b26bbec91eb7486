import type { FileSystemVolume, Snapshot, View } from "holdstill/plugin";
import type { Text, Volume as DriverVolume } from "./messages.js";
import type { Source } from "./source.js";

/** All that is known of one snapshot or fork. It is on disk before the driver is asked for anything. */
export interface Entry {
  readonly version: 1;
  /** Snapshot.id: the set's id, a dot, and the number of the snapshot in the set. */
  readonly id: string;
  readonly setId: string;
  /** Of a fork: the id of the snapshot that it was made from. */
  readonly of?: string;
  readonly volume: FileSystemVolume;
  readonly source: Source;
  readonly createdAt: string;
  readonly held: Planned | Taken | Fork;
  readonly shown?: Shown;
}

/** The driver may have been asked for it by its name. Whether it has it is not known. */
export interface Planned {
  readonly as: "planned";
  readonly method: "group" | "single";
  /** As the options had them, so that the same request can be made again. */
  readonly parameters: Text;
}

/** A snapshot in the storage. */
export interface Taken {
  readonly as: "snapshot";
  readonly snapshotId: string;
  /** Of a volume that is made from it; 0: not known. */
  readonly sizeBytes: number;
  /** When it was cut, by the driver's clock; null: the driver did not tell. */
  readonly cutAt: string | null;
  /** The driver deletes a group as a whole: with the last of its snapshots. */
  readonly group: { readonly id: string; readonly removal: "not-asked" | "asked" } | null;
}

/** A volume that was made from a snapshot. null: asked for, but whether there is one is not known. */
export interface Fork {
  readonly as: "fork";
  readonly sizeBytes: number;
  readonly volume: DriverVolume | null;
}

/** How it is exposed: by the fork itself, or by a volume that is made for it and deleted with it. */
export interface Shown {
  readonly view: View;
  readonly by: { readonly what: "itself" } | { readonly what: "clone"; readonly volume: DriverVolume | null };
}

/** Names in the storage. They are derived from the set's id, so that a second request finds what the first one made. */
export const nameOf = {
  group: (setId: string): string => `holdstill-${setId}`,
  own: (id: string): string => `holdstill-${id.replace(".", "-")}`,
  clone: (id: string): string => `${nameOf.own(id)}-view`,
};

/** As the host records it. */
export function toSnapshot(entry: Entry): Snapshot {
  const { id, setId, of, volume, createdAt, held, source } = entry;
  const facts = { sourceVolume: source.volumeId, ...factsOf(held) };
  return {
    id,
    ...(of === undefined ? {} : { of }),
    setId,
    volumeId: volume.id,
    createdAt,
    method: held.as === "fork" ? "CSI volume" : "CSI snapshot",
    facts,
  };
}

function factsOf(held: Entry["held"]): Record<string, string> {
  switch (held.as) {
    case "planned":
      return { state: "planned" };
    case "snapshot":
      return {
        snapshot: held.snapshotId,
        ...(held.group === null ? {} : { group: held.group.id }),
        ...(held.cutAt === null ? {} : { cutAt: held.cutAt }),
      };
    case "fork":
      return held.volume === null ? { state: "planned" } : { volume: held.volume.volumeId };
  }
}
