import type { View } from "holdstill/plugin";

/** All that is known of one snapshot. On disk before anything is made, so that a new process finds all of it. */
export type Entry = FilesEntry | DeviceEntry;

export interface FilesEntry extends AnyEntry {
  /** Absent in entries of earlier versions. */
  readonly kind?: "filesystem";
  readonly fsType: string;
  /** The paths inside the file system, relative to its root. */
  readonly inner: readonly string[];
}

/** Of a raw device: its one path is the device. */
export interface DeviceEntry extends AnyEntry {
  readonly kind: "block";
}

interface AnyEntry {
  readonly version: 1;
  /** Snapshot.id: the set's id, a dot, and the number of the volume in the set. */
  readonly id: string;
  readonly setId: string;
  /** Id of the snapshot that this one is a fork of. */
  readonly of?: string;
  readonly volumeId: string;
  readonly paths: readonly string[];
  readonly origin: Origin;
  readonly store: Store;
  readonly exceptions: "persistent" | "transient";
  /** planned: may be there in parts. sealed: whole. reverting: on its way back into the origin. */
  readonly state: "planned" | "sealed" | "reverting";
  readonly createdAt: string;
  /** /proc/sys/kernel/random/boot_id when it was cut: device-mapper forgets its tables at each boot. */
  readonly bootId: string;
  /** What only a mount, a check or a repair of the origin changes, see generation.ts; null if the file system, or a raw device, does not have that. */
  readonly generation: string | null;
  /** How it is exposed now, and where the data of the throw-away layer are. */
  readonly shown?: { readonly view: View; readonly layer: Store | null };
}

export interface Origin {
  readonly name: string;
  readonly uuid: string;
  readonly sectors: number;
}

/** Where the data of one snapshot are: in a file, on disk or in memory, or in a slice of a block device. */
export type Store =
  | {
      readonly kind: "folder" | "memory";
      readonly file: string;
      /** Where the file's file system is mounted; absent if it is not known. */
      readonly mount?: string;
      readonly bytes: number;
    }
  | { readonly kind: "device"; readonly device: string; readonly from: number; readonly bytes: number };
