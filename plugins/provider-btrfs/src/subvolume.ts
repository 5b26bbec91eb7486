import { lstatSync } from "node:fs";
import path from "node:path";
import type { Context } from "holdstill/plugin";
import { isWithin } from "#kit/paths.js";
import { btrfs } from "./btrfs.js";
import { SUBVOLUME_ROOT, type Top } from "./top.js";

/** A subvolume. Its UUID stays with it, and its path does not. */
export interface Subvolume {
  /** Never given out again in its file system. */
  readonly id: number;
  readonly uuid: string;
  /** Of the subvolume that it is a snapshot of; null: it is not a snapshot. */
  readonly parentUuid: string | null;
  /** From the top of the file system, absolute. */
  readonly path: string;
  readonly access: "read-only" | "read-write";
}

type Line = Omit<Subvolume, "access">;

/** Whether the root of a subvolume is there. No part of the path below the top may be a link. */
export function isSubvolume(top: Top, inner: string): boolean {
  const status = lstatSync(top.at(inner), { bigint: true, throwIfNoEntry: false });
  return status?.isDirectory() === true && status.ino === SUBVOLUME_ROOT;
}

/** The subvolume at a path from the top; null: there is none. */
export async function subvolumeAt(top: Top, inner: string, ctx: Pick<Context, "exec">): Promise<Subvolume | null> {
  if (!isSubvolume(top, inner)) return null;
  const shown = await btrfs(ctx, ["subvolume", "show", "--", top.at(inner)]);
  return readShown(shown, inner);
}

/**
 * Reads `btrfs subvolume show`. Any user may make a subvolume, and give it a name with the lines of another one: so what is read is
 * what comes after the name, which is known.
 */
export function readShown(shown: string, inner: string): Subvolume {
  const name = inner === "/" ? "<FS_TREE>" : path.basename(inner);
  const head = `\tName: \t\t\t${name}\n`;
  const facts = shown.slice(shown.indexOf(head) + head.length);
  const value = (key: string): string => new RegExp(`^\\t${key}:[ \\t]*(.*)$`, "m").exec(facts)?.[1]?.trim() ?? "";
  const parent = value("Parent UUID");
  return {
    id: Number(value("Subvolume ID")),
    uuid: value("UUID"),
    parentUuid: parent === "-" ? null : parent,
    path: inner,
    access: value("Flags").includes("readonly") ? "read-only" : "read-write",
  };
}

/**
 * What `btrfs subvolume list` prints of a file system. A name with line breaks can hide what is in its own line, and show more: see
 * `subvolumesBelow`.
 *
 * @param mounted Where any part of it is mounted.
 */
export async function listSubvolumes(mounted: string, ctx: Pick<Context, "exec">): Promise<Subvolume[]> {
  const all = readList(await btrfs(ctx, ["subvolume", "list", "-u", "-q", mounted]));
  const readOnly = new Set(readList(await btrfs(ctx, ["subvolume", "list", "-u", "-q", "-r", mounted])).map(idOf));
  return all.map((one) => ({ ...one, access: readOnly.has(one.id) ? "read-only" : "read-write" }));
}

const idOf = ({ id }: Line): number => id;

export function readList(text: string): Line[] {
  const lines = text.matchAll(/^ID (\d+) gen \d+ top level \d+ parent_uuid (\S+)\s+uuid (\S+)\s+path (.*)$/gm);
  return [...lines].map(([, id, parent, uuid = "", inner = ""]) => ({
    id: Number(id),
    uuid,
    parentUuid: parent === "-" || parent === undefined ? null : parent,
    path: path.join("/", inner),
  }));
}

/** The subvolumes below a folder or subvolume, each with its true path, the deepest last. A path that is not UTF-8 is left out. */
export async function subvolumesBelow(top: Top, folder: string, ctx: Pick<Context, "exec">): Promise<Subvolume[]> {
  const listed = await listSubvolumes(top.path, ctx);
  const doubtful = [repeated(listed.map((one) => one.path)), repeated(listed.map((one) => one.id))] as const;
  const found = new Map<number, Subvolume>();
  for (const one of listed) {
    const isPlain = !doubtful[0].has(one.path) && !doubtful[1].has(one.id) && isSubvolume(top, one.path);
    const its = isPlain ? one : await resolve(top, one.id, ctx);
    if (its !== null && its.path !== folder && isWithin(its.path, folder)) found.set(its.id, its);
  }
  return [...found.values()].toSorted((a, b) => depthOf(a) - depthOf(b));
}

/** What is in a list more than once. */
function repeated<T>(values: readonly T[]): ReadonlySet<T> {
  const seen = new Set<T>();
  return new Set(values.filter((value) => seen.size === seen.add(value).size));
}

const depthOf = (one: Line): number => one.path.split("/").length;

/** By its number, whatever its name: the kernel's answer is the whole output. */
async function resolve(top: Top, id: number, ctx: Pick<Context, "exec">): Promise<Subvolume | null> {
  const { exitCode, stdout } = await ctx.exec("btrfs", ["inspect-internal", "subvolid-resolve", `${id}`, top.path]);
  return exitCode === 0 ? await subvolumeAt(top, path.join("/", stdout.replace(/\n$/, "")), ctx) : null;
}

/** Makes a snapshot at a path from the top, where nothing may be. */
export async function snapshot(
  top: Top,
  { from, to, access }: { from: string; to: string; access: Subvolume["access"] },
  ctx: Pick<Context, "exec">,
): Promise<void> {
  const readOnly = access === "read-only" ? ["-r"] : [];
  await btrfs(ctx, ["subvolume", "snapshot", ...readOnly, "--", top.at(from), top.at(to)]);
}

/** Removes subvolumes, in this order, and returns when that is on disk. */
export async function deleteSubvolumes(top: Top, paths: readonly string[], ctx: Pick<Context, "exec">): Promise<void> {
  if (paths.length === 0) return;
  await btrfs(ctx, ["subvolume", "delete", "--commit-after", "--", ...paths.map((inner) => top.at(inner))]);
}
