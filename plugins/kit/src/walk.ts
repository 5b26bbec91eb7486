import { isUtf8 } from "node:buffer";
import nodePath from "node:path";
import { type FileCalls, kernel, O_DIRECTORY, O_PATH } from "./file-calls.js";
import { FolderHandle, pathIn } from "./folder-handle.js";
import type { PathHandle } from "./path-handle.js";
import { attempt, isAbsence, pathFailed, pathUnsafe } from "./path-refusal.js";
import { checkFolder, isSelf, type PathTrust } from "./path-trust.js";

/** For what is missing on the way. */
export interface WalkRules extends PathTrust {
  /** refused; or made with this mode, for the owner of the folder that it is made in. Default: refused. */
  readonly missing?: "refused" | number;
  /** any: the parts may belong to any user, as in what was captured. Links are held to the same rule. Default: checked. */
  readonly owners?: "checked" | "any";
}

/** As many links as the kernel follows, path_resolution(7). */
const MOST_LINKS = 40;
const tooManyLinks = Object.assign(new Error("ELOOP: too many symbolic links"), { code: "ELOOP" });

/**
 * Opens a folder by its absolute path, after each part of the path was opened and seen to be safe: no user but root, this process's
 * user and `owner` can put something else in its place. That is: each part belongs to one of them, is not writable for others (or is
 * sticky, as /tmp), and what lies in a folder of `owner` is also `owner`'s. A symbolic link is followed only if it and every folder on
 * the way to it belong to root or to this process's user. What is opened below the folder later is held to the same rules.
 * With `owners: "any"`, only that of links is checked: a user may have put another folder of his own on the way, and nothing that leads
 * elsewhere.
 *
 * @throws PluginError PATH_UNSAFE, PATH_FAILED
 */
export function walk(path: string, rules: WalkRules = {}, calls: FileCalls = kernel): FolderHandle {
  return FolderHandle.of(walkTo(path, rules, calls), rules);
}

/** The same for what may also be a file, a device or a socket: it is referred to, not opened. */
export function walkTo(path: string, rules: WalkRules = {}, calls: FileCalls = kernel): PathHandle {
  if (!nodePath.isAbsolute(path) || path.split("/").includes(".."))
    throw pathUnsafe(path, null, "it is not an absolute path without `..`", "Name the path in full");
  const fd = attempt("Opening", "/", () => calls.open("/", O_PATH | O_DIRECTORY));
  const root = new FolderHandle(fd, "/", calls, rules);
  const way: PathHandle[] = [root];
  try {
    checkFolder(root, rules);
    follow(way, path, rules);
    return way.pop() ?? root;
  } finally {
    for (const handle of way) handle[Symbol.dispose]();
  }
}

/** Goes on from the end of the way, which is the root or a folder below it. Each part is opened as itself, looked at, and then entered. */
function follow(way: PathHandle[], path: string, rules: WalkRules): void {
  const pending = partsOf(path);
  let links = 0;
  for (let part = pending.shift(); part !== undefined; part = pending.shift()) {
    if (part === "..") {
      if (way.length > 1) way.pop()?.[Symbol.dispose]();
      continue;
    }
    const from = folderAt(way, rules);
    const next = enter(from, part, rules);
    if (next.status().type !== "symbolic link") {
      way.push(next);
      continue;
    }
    using link = next;
    links += 1;
    if (links > MOST_LINKS) throw pathFailed("Opening", link.path, tooManyLinks);
    const target = targetOf(way, link, { from, part, rules });
    if (target.startsWith("/")) for (const handle of way.splice(1)) handle[Symbol.dispose]();
    pending.unshift(...partsOf(target));
  }
}

/** The end of the way, as a folder: only what may be done with the descriptor changes. */
function folderAt(way: PathHandle[], rules: WalkRules): FolderHandle {
  const end = way.pop();
  if (end === undefined) throw new Error("the way has no root");
  const folder = FolderHandle.of(end, rules);
  way.push(folder);
  return folder;
}

function enter(from: FolderHandle, part: string, { missing = "refused", owners = "checked" }: WalkRules): PathHandle {
  try {
    return from.entry(part, { owners });
  } catch (error) {
    if (missing === "refused" || !isAbsence(error)) throw error;
  }
  const { uid, gid } = from.status();
  const made = from.mkdir(part, missing);
  if (!isSelf(uid)) made.chown(uid, gid);
  return made;
}

/** Only root and this process's user can change it or rename it: so it is read by its name. */
function targetOf(
  way: readonly PathHandle[],
  link: PathHandle,
  { from, part, rules }: { from: FolderHandle; part: string; rules: WalkRules },
): string {
  for (const handle of [...way, link]) {
    const { uid, type } = handle.status();
    if (type === "folder") checkFolder(handle, rules);
    if (isSelf(uid)) continue;
    const reason = `it is a symbolic link, and ${handle.path} belongs to user ${uid}`;
    throw pathUnsafe(link.path, link.status().uid, reason, "Name the path without the link");
  }
  const target = attempt("Reading", pathIn(from, part), () => from.calls.linkTarget(from.at(part)));
  if (isUtf8(target)) return target.toString();
  throw pathUnsafe(link.path, null, "it leads to a name that is not UTF-8", `Look at it: ls -l ${link.path}`);
}

const partsOf = (path: string): string[] => path.split("/").filter((part) => part !== "" && part !== ".");
