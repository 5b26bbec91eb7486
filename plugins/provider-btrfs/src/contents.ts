import { rmdirSync, statSync, utimesSync } from "node:fs";
import path from "node:path";
import type { Context } from "holdstill/plugin";
import { type Entry, partName, WHOLE } from "./entry.js";
import { PluginError } from "./errors.js";
import type { Store } from "./store.js";
import { snapshot, type Subvolume, subvolumeAt, subvolumesBelow } from "./subvolume.js";

type Exec = Pick<Context, "exec">;

/** A subvolume of the contents: where it is in them, and on the file system. Outer ones first; the first one has an empty `inner`. */
export interface Piece {
  readonly inner: string;
  readonly subvolume: Subvolume;
}

/**
 * The subvolumes that make up the contents of a snapshot, each proven by its UUID.
 *
 * @throws PluginError UNKNOWN_SNAPSHOT
 */
export async function contentsOf(entry: Entry, store: Store, ctx: Exec): Promise<[Piece, ...Piece[]]> {
  const { parts, whole } = entry;
  if (whole?.uuid !== undefined) {
    const root = await proven(store.pathOf(entry, WHOLE), whole.uuid, entry, store, ctx);
    return [root, ...(await piecesBelow(root.subvolume, store, ctx))];
  }
  const pieces: Piece[] = [];
  for (const [index, { inner, uuid }] of parts.entries()) {
    const { subvolume } = await proven(store.pathOf(entry, partName(index)), uuid, entry, store, ctx);
    pieces.push({ inner, subvolume });
  }
  const [first, ...rest] = pieces;
  if (first === undefined) throw missing(entry, WHOLE);
  return [first, ...rest];
}

async function piecesBelow(root: Subvolume, { top }: Store, ctx: Exec): Promise<Piece[]> {
  const below = await subvolumesBelow(top, root.path, ctx);
  return below.map((subvolume) => ({ inner: path.relative(root.path, subvolume.path), subvolume }));
}

async function proven(at: string, uuid: string | undefined, entry: Entry, { top }: Store, ctx: Exec): Promise<Piece> {
  const subvolume = await subvolumeAt(top, at, ctx);
  if (subvolume === null || uuid === undefined || subvolume.uuid !== uuid) throw missing(entry, at);
  return { inner: "", subvolume };
}

const missing = ({ id }: Entry, at: string): PluginError =>
  new PluginError(
    "UNKNOWN_SNAPSHOT",
    `The subvolume ${at} of ${id} does not exist, or is another one.`,
    "Delete its set.",
  );

/** Makes a writable tree of the contents, at a path where nothing is. What is nested has its place in it again. Returns its root. */
export async function compose(pieces: readonly Piece[], at: string, { top }: Store, ctx: Exec): Promise<Subvolume> {
  for (const { inner, subvolume } of pieces) {
    const to = path.join(at, inner);
    const above = path.dirname(top.at(to));
    const { atime, mtime } = statSync(above);
    // In a snapshot, an empty folder is in the place of a nested subvolume.
    if (inner !== "") rmdirSync(top.at(to));
    await snapshot(top, { from: subvolume.path, to, access: "read-write" }, ctx);
    if (inner !== "") utimesSync(above, atime, mtime);
  }
  const made = await subvolumeAt(top, at, ctx);
  if (made === null) throw new PluginError("CHANGED", `${at} was removed meanwhile.`, "Run the command again.");
  return made;
}
