import path from "node:path";
import type { Context } from "holdstill/plugin";
import type { FolderHandle } from "#kit/folder-handle.js";
import type { FileType } from "#kit/path-handle.js";
import { isAbsence } from "#kit/path-refusal.js";
import { walk } from "#kit/walk.js";
import { lostIn, type LostAttributes } from "./attributes.js";
import type { CpMessage } from "./complaints.js";
import { cp, inRuns, messagesOf } from "./cp.js";
import { PASSABLE } from "./folder.js";
import { finishFrames, makeFrames } from "./frames.js";
import { lostFlags, type LostFlags } from "./lost-flags.js";
import { emptyMountPoint, fromBytes, hasProjectQuota, mountsBelow } from "./mounts-below.js";
import { isRoot } from "./probe.js";
import { PluginError } from "./errors.js";
import { type Entry, filesOf, sourceOf } from "./registry.js";
import { select } from "./selection.js";

/** What happened while the files were copied. */
export interface CopyFacts {
  /** Names that were gone before cp came to them. */
  vanished: number;
  /** Files that were replaced by others of the same name while being copied, and then copied again. */
  copiedAgain: number;
  /** Files that could not share their extents (btrfs: no copy-on-write) and were copied. */
  unshared: number;
  /** Extended attributes that the copies do not have. */
  lostAttributes?: LostAttributes;
  /** The file system counts space by project ids, and the copies have none: node:fs can neither read nor set them. */
  projectIds?: "lost";
  /** What chattr(1) sets. */
  lostFlags?: LostFlags;
}

/** Runs for files that are replaced while cp copies them, before it is an error. */
const ATTEMPTS = 8;
const SHOWN = 10;

/**
 * Copies with GNU cp, which keeps owner, mode, times, ACLs, extended attributes, holes and links. All sources go to one run,
 * as long as they fit, because cp keeps hard links within a run only.
 *
 * @param files The entry's folder for the trees: it exists, is empty, and no other user may reach it.
 */
export async function copyTrees(entry: Entry, files: FolderHandle, ctx: Context): Promise<CopyFacts> {
  const { paths, mountPoint } = entry;
  const mounts = mountsBelow(paths);
  // As root, mounts are not in cp's sight.
  const hidden = isRoot() ? [] : [...mounts].map(fromBytes);
  const { frames, sources } = select(paths, [...entry.exclude, ...hidden]);
  await makeFrames(frames, files, ctx);
  makeWay(files, mountPoint);
  const relative = sources.map((source) => path.relative(mountPoint, source) || ".");
  const messages = await copySources(relative, entry, ctx);
  const lostAttributes = lostIn(messages, entry.store);
  if (lostAttributes !== null) await copyAgain(relative, entry, ctx);
  const flags = await flagsOf(relative, entry, ctx);
  for (const point of mounts) await emptyMountPoint(files, point, ctx.signal);
  finishFrames(frames, files);
  files.chmod(PASSABLE);
  for (const target of paths) assertCopied(target, files);
  const tally = (kind: CpMessage["kind"]): number => messages.filter((message) => message.kind === kind).length;
  return {
    vanished: tally("vanished"),
    copiedAgain: tally("replaced"),
    unshared: tally("unclonable"),
    ...(lostAttributes && { lostAttributes }),
    ...(hasProjectQuota(mountPoint) && { projectIds: "lost" }),
    ...(flags && { lostFlags: flags }),
  };
}

/** @param sources Relative to the volume's mount point. */
async function copySources(sources: readonly string[], entry: Entry, ctx: Context): Promise<CpMessage[]> {
  const { mountPoint, method } = entry;
  using origin = openOrigin(mountPoint);
  const target = path.join(filesOf(entry), mountPoint);
  const messages: CpMessage[] = [];
  let pending = inRuns(sources);
  if (pending.length > 1) ctx.log.warn("hard links between parts of a very long list are copied as files of their own");
  // Only `always` reports what could not be cloned; `auto` then copies that, and still clones the rest.
  let reflink = method === "reflink" ? "always" : "auto";
  for (let attempt = 1; pending.length > 0; attempt += 1) {
    const again: string[] = [];
    for (const part of pending) {
      ctx.signal.throwIfAborted();
      // An attribute that cannot be kept is reported only if it is asked for by name.
      const options = ["-a", "-x", "--preserve=xattr", "--sparse=auto", `--reflink=${reflink}`, "--parents"];
      const seen = messagesOf(await cp(origin, sourceOf(entry), [...options, "-t", target, "--", ...part], ctx));
      messages.push(...seen);
      again.push(...seen.flatMap((message) => ("source" in message ? [message.source] : [])));
    }
    if (again.length > 0 && attempt === ATTEMPTS)
      throw replacedTooOften(again.map((one) => path.join(mountPoint, one)));
    pending = inRuns(again);
    reflink = "auto";
  }
  return messages;
}

/** Where cp misses an attribute, it gives up a directory's mode and a file's other names: so all but contents is copied once more. */
async function copyAgain(sources: readonly string[], entry: Entry, ctx: Context): Promise<void> {
  using origin = openOrigin(entry.mountPoint);
  const target = path.join(filesOf(entry), entry.mountPoint);
  for (const part of inRuns(sources)) {
    const args = ["-a", "-x", "--attributes-only", "--parents", "-t", target, "--", ...part];
    messagesOf(await cp(origin, sourceOf(entry), args, ctx));
  }
}

async function flagsOf(sources: readonly string[], entry: Entry, ctx: Context): Promise<LostFlags | null> {
  using origin = openOrigin(entry.mountPoint);
  return await lostFlags(origin, sourceOf(entry), sources, ctx);
}

/** Any user may own what is above: it can only be renamed, and no part of the path may be a link. */
function openOrigin(mountPoint: string): FolderHandle {
  const top = walk("/");
  if (mountPoint === "/") return top;
  using above = top;
  return above.open(mountPoint.slice(1), { owners: "any" });
}

/** Where nothing is copied in parts, the mount point is not there yet. */
function makeWay(files: FolderHandle, mountPoint: string): void {
  let folder = files;
  for (const name of mountPoint.split("/").filter((part) => part !== "")) {
    using from = folder === files ? null : folder;
    const above = from ?? files;
    folder = above.find(name) === null ? above.mkdir(name) : above.open(name, { owners: "any" });
  }
  if (folder !== files) folder[Symbol.dispose]();
}

function typeIn(files: FolderHandle, original: string): FileType | null {
  try {
    using found = files.entry(original.slice(1), { owners: "any" });
    return found.status().type;
  } catch (error) {
    if (isAbsence(error)) return null;
    throw error;
  }
}

/** A captured path had no link in it when it was planned. One that its owner put there since is not what was asked for. */
function assertCopied(target: string, files: FolderHandle): void {
  const type = target === "/" ? "folder" : typeIn(files, target);
  if (type === null)
    throw new PluginError(
      "COPY_FAILED",
      `${target} vanished while it was copied.`,
      "Find out which program removed it, and try again.",
    );
  if (type === "symbolic link")
    throw new PluginError(
      "COPY_FAILED",
      `${target} became a symbolic link after the snapshot was planned.`,
      "Find out which program replaced it, and try again.",
    );
}

function replacedTooOften(files: readonly string[]): PluginError {
  return new PluginError(
    "COPY_FAILED",
    `Replaced again and again while being copied: ${files.slice(0, SHOWN).join(", ")}.`,
    "Use a writer that holds the application still, or leave the files out.",
  );
}
