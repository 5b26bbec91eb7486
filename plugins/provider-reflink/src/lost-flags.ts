import type { Context } from "holdstill/plugin";
import type { FolderHandle } from "#kit/folder-handle.js";
import { inRuns, runAsRoot } from "./cp.js";
import { isRoot } from "./probe.js";

const SHOWN = 10;

/** Inode flags of the originals, as lsattr(1) prints them. The copies have none. */
export interface LostFlags {
  /** Files and folders; one with several names counts as often. */
  count: number;
  /** At most ten: `+i a/b`, relative to the volume's mount point. */
  first: string[];
}

/** What a person sets, and not what a file system notes for itself, as `e`. Lines of -R that name a folder begin with its path. */
const script = `
command -v lsattr >/dev/null || exit 0
flagged() {
  { lsattr -d -- "$@"; lsattr -aR -- "$@" | grep -av '/[.][.]*$'; } 2>/dev/null |
    grep -aE '^[-a-zA-Z]*[SiadAcmjDTC][-a-zA-Z]* +[.]/' | sort -u
}
flagged "$@" | wc -l
flagged "$@" | head -n ${SHOWN}
`;

/**
 * What cp does not copy: chattr(1). Root alone can set the flags that matter most, and is told of them.
 *
 * @param sources Relative to the folder.
 * @param at The place of a mount, as for `cp`.
 * @returns null: there are none, or this is not root, or there is no lsattr.
 */
export async function lostFlags(
  from: FolderHandle,
  at: string,
  sources: readonly string[],
  ctx: Context,
): Promise<LostFlags | null> {
  if (!isRoot()) return null;
  const lost: LostFlags = { count: 0, first: [] };
  for (const run of inRuns(sources.map((source) => `./${source}`))) {
    const { stdout } = await runAsRoot(from, at, ["sh", "-c", script, "sh", ...run], ctx);
    const [count = "0", ...first] = stdout.split("\n").filter((line) => line !== "");
    lost.count += Number(count) || 0;
    lost.first.push(...first.map(readable));
  }
  return lost.count === 0 ? null : { ...lost, first: lost.first.slice(0, SHOWN) };
}

/** `----i---------e------- ./a/b` becomes `+i a/b`. */
function readable(line: string): string {
  const [, flags = "", name = line] = /^(\S+) +[.][/](.*)$/.exec(line) ?? [];
  return `+${flags.replaceAll(/[^SiadAcmjDTC]/g, "")} ${name}`;
}
