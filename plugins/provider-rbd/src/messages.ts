/** The requests to client.py, and their results. */

/** A pool, and a namespace in it; the default one is empty. */
export interface Place {
  readonly pool: string;
  readonly namespace: string;
}

/** An image by its id, which does not change when it is renamed. */
export interface ImageRef extends Place {
  readonly id: string;
}

/** An image as it is called on this host. */
export interface ImageName extends Place {
  readonly name: string;
}

/** An RBD group. */
export interface GroupRef extends Place {
  readonly name: string;
}

export interface ImageSnapshot {
  readonly id: number;
  readonly kind: "user" | "group" | "other";
  /** Of a group's: that of the group snapshot. */
  readonly name: string;
  /** The name of the group. */
  readonly group: string | null;
}

export interface ImageInfo {
  readonly id: string;
  readonly name: string;
  readonly sizeBytes: number;
  readonly exclusiveLock: boolean;
  readonly group: GroupRef | null;
  readonly snapshots: readonly ImageSnapshot[];
  /** Addresses of the clients that have it open for writing. */
  readonly watchers: readonly string[];
}

/** What the client knows when it has connected. */
export interface Connected {
  readonly fsid: string;
  /** Whether this librbd clones from the snapshot of a group. */
  readonly clonesGroups: boolean;
}

/** Arguments and result of each operation. */
export interface Operations {
  info: [{ of: ImageRef | ImageName }, ImageInfo];
  keep: [{ of: ImageRef }, null];
  letGo: [{ of: ImageRef }, null];
  createSnapshot: [{ of: ImageRef | ImageName; name: string }, null];
  removeSnapshot: [{ of: ImageRef | ImageName; name: string }, null];
  createGroupSnapshot: [{ group: GroupRef; name: string }, null];
  removeGroupSnapshot: [{ group: GroupRef; name: string }, null];
  clone: [{ of: ImageRef | ImageName; snapshot: string | number; to: string }, null];
  copy: [{ of: ImageRef; snapshot: number; to: string }, null];
  removeImage: [{ at: Place; name: string }, null];
  rollBack: [{ of: ImageRef; name: string }, null];
  readJournal: [{ at: Place }, Readonly<Record<string, string>>];
  writeJournal: [{ at: Place; key: string; value: string }, null];
  removeFromJournal: [{ at: Place; key: string }, null];
  space: [{ at: Place }, { totalBytes: number; freeBytes: number }];
}

export type Operation = keyof Operations;
