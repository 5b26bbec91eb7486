import { lstatSync, readdirSync, type Stats } from "node:fs";
import path from "node:path";
import { isWithin } from "#kit/paths.js";
import { codeOf } from "#kit/plugin-error.js";
import { PluginError } from "./errors.js";

/** The arguments of one run of cp, without what is excluded. All absolute. */
export interface Selection {
  /** Directories that are copied in parts: the parents of a captured path, and those from which something is left out. Parents first. */
  readonly frames: readonly Frame[];
  /** Copied as they are, with all that is below. */
  readonly sources: readonly string[];
}

/** A directory of which only some children are copied, with the attributes that its copy is to have. */
export interface Frame {
  readonly path: string;
  readonly stat: Stats;
}

/**
 * Only a directory that contains an exclusion is opened; the others go to cp as a whole, so the lists stay short. A path
 * that has vanished is left to cp.
 */
export function select(paths: readonly string[], exclude: readonly string[]): Selection {
  const frames = new Map<string, Frame>();
  const sources: string[] = [];
  const visit = (target: string): void => {
    if (isLeftOut(target, exclude)) return;
    const stat = statOrGone(target);
    if (stat?.isDirectory() !== true || !exclude.some((entry) => isWithin(entry, target) && entry !== target)) {
      sources.push(target);
      return;
    }
    frames.set(target, { path: target, stat });
    for (const child of childrenOf(target)) visit(path.join(target, child));
  };
  for (const target of paths) {
    for (const dir of parentsOf(target)) frames.set(dir, { path: dir, stat: folderStat(dir) });
    visit(target);
  }
  return { frames: [...frames.values()], sources };
}

/** `exclude` as in the contract's Component: a path, or `/x/*` for what is in x. */
export function isLeftOut(target: string, exclude: readonly string[]): boolean {
  return exclude.some((entry) =>
    entry.endsWith("/*") ? target.startsWith(entry.slice(0, -1)) : isWithin(target, entry),
  );
}

/** The root first; not the path itself. */
function parentsOf(target: string): string[] {
  const parent = path.dirname(target);
  return parent === target ? [] : [...parentsOf(parent), parent];
}

/** Arguments are text, so a name that is not UTF-8 can only be copied as part of a whole directory. */
function childrenOf(dir: string): string[] {
  return readdirSync(dir, { encoding: "buffer" }).map((name) => {
    if (!Buffer.from(name.toString()).equals(name)) {
      throw new PluginError(
        "UNREADABLE",
        `${path.join(dir, name.toString())} has a name that is not UTF-8, and is beside something that is left out.`,
        "Rename it, or capture the whole directory.",
      );
    }
    return name.toString();
  });
}

/** Another user may have put a link in its place: its mode must not be that of the copy. */
function folderStat(dir: string): Stats {
  const stat = lstatSync(dir);
  if (stat.isDirectory()) return stat;
  throw new PluginError("COPY_FAILED", `${dir} is not a folder.`, "Find out which program replaced it, and try again.");
}

function statOrGone(target: string): Stats | undefined {
  try {
    return lstatSync(target);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
