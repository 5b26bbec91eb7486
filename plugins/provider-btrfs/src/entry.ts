import type { FileSystemVolume } from "holdstill/plugin";

/** A subvolume that was captured, and the snapshot of it. */
export interface Part {
  /** Its path from the root of the captured subvolume; empty: that one itself. */
  readonly inner: string;
  /** UUID of what was captured. */
  readonly from: string;
  /** UUID of the snapshot. Absent: it has not been proven yet. */
  readonly uuid?: string;
}

/**
 * Contents as one tree: a writable snapshot, with snapshots of the nested subvolumes in their places. A fork has only this, and it takes
 * the place of the parts of a snapshot that was exposed writable.
 */
export interface Whole {
  /** UUID of what it is a snapshot of. */
  readonly from: string;
  /** Absent: it is being made. */
  readonly uuid?: string;
}

/** A subvolume that a revert is replacing. */
export interface Swap {
  /** UUID of the replaced one. */
  readonly old: string;
  /** Its path from the top of the file system. */
  readonly path: string;
}

/** A snapshot, as the file system itself has it: a JSON file beside the subvolumes. */
export interface Entry {
  readonly id: string;
  /** Of a fork: the id of its snapshot. */
  readonly of?: string;
  readonly setId: string;
  /** planned: it is being made. */
  readonly state: "planned" | "sealed";
  readonly createdAt: string;
  readonly volume: FileSystemVolume;
  /** The captured paths, and where they are from the root of the captured subvolume. */
  readonly paths: readonly { readonly original: string; readonly inner: string }[];
  /** UUID of the subvolume that a revert replaces. */
  readonly origin: string;
  /** The captured subvolume is the first, and what is nested in it follows. Empty: it is a fork. */
  readonly parts: readonly Part[];
  readonly whole?: Whole;
  /** Absolute paths. */
  readonly notCaptured: readonly string[];
  readonly swap?: Swap;
}

export function isEntry({ setId, state, volume, paths, parts, origin }: Entry): boolean {
  const isState = state === "planned" || state === "sealed";
  return (
    typeof setId === "string" &&
    isState &&
    typeof volume === "object" &&
    isList(paths) &&
    isList(parts) &&
    typeof origin === "string"
  );
}

const isList = (value: unknown): boolean => Array.isArray(value);

/** The name of the snapshot of a part, beside those of the others. */
export const partName = (index: number): string => `${index}`;
/** The names of what is made of a snapshot. */
export const WHOLE = "whole";
export const SCRATCH = "scratch";
/** During a revert: what takes the place of the original, and the original. */
export const NEW = "new";
export const OLD = "old";
