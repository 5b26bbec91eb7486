import path from "node:path";
import { isWithin } from "#kit/paths.js";
import type { Options } from "./options.js";
import { STORE } from "./store.js";
import type { Subvolume } from "./subvolume.js";

/**
 * Folders in which other programs keep their snapshots: snapper (`.snapshots`), Timeshift, and holdstill's two providers that keep
 * them beside the original. What is in them is not content.
 */
const FOLDERS_OF_SNAPSHOTS: ReadonlySet<string> = new Set([".snapshots", "timeshift-btrfs", ".holdstill", STORE]);

/** The subvolumes below captured paths of a subvolume. */
export interface Nested {
  /** A part of the snapshot, outer ones first. Paths from the root of the captured subvolume. */
  readonly captured: readonly string[];
  /** Left out, without those within them: snapshots of other programs, and what the options or the plan leave out. */
  readonly leftOut: readonly string[];
}

export interface Selection extends Options {
  /** Path of the captured subvolume from the top of the file system. */
  readonly root: string;
  /** The captured paths, from the root of that subvolume. */
  readonly inner: readonly string[];
  /** Excluded paths, from the root of that subvolume; `/*` at the end means what is in it. */
  readonly exclude: readonly string[];
}

/** Selects what of the subvolumes belongs to the captured paths. */
export function selectNested(all: readonly Subvolume[], selection: Selection): Nested {
  const { root, inner } = selection;
  const below = all
    .filter((one) => one.path !== root && isWithin(one.path, root))
    .map((one) => ({ subvolume: one, relative: path.relative(root, one.path) }))
    .filter(({ relative }) => inner.some((captured) => isWithin(`/${relative}`, `/${captured}`)))
    .toSorted((a, b) => a.relative.split("/").length - b.relative.split("/").length);
  const captured: string[] = [];
  const leftOut: string[] = [];
  for (const { subvolume, relative } of below) {
    if (leftOut.some((outer) => isWithin(relative, outer))) continue;
    const isContent =
      selection.nested === "capture" && !isExcluded(relative, selection) && !isForeign(subvolume, relative);
    (isContent ? captured : leftOut).push(relative);
  }
  return { captured, leftOut };
}

/**
 * Whether it is a snapshot that another program keeps: it is in a folder for such snapshots, or it is read-only and has a parent, as
 * those of snapper, btrbk, and Timeshift have.
 */
export function isForeign({ access, parentUuid }: Pick<Subvolume, "access" | "parentUuid">, relative: string): boolean {
  const isKept = relative.split("/").some((part) => FOLDERS_OF_SNAPSHOTS.has(part));
  return isKept || (access === "read-only" && parentUuid !== null);
}

function isExcluded(relative: string, { exclude }: Selection): boolean {
  return exclude.some((entry) =>
    entry.endsWith("/*") ? `/${relative}`.startsWith(`/${entry.slice(0, -1)}`) : isWithin(`/${relative}`, `/${entry}`),
  );
}
