import type { Context, ExecResult } from "holdstill/plugin";
import type { FolderHandle } from "#kit/folder-handle.js";
import { readCpMessages, type CpMessage } from "./complaints.js";
import { PluginError } from "./errors.js";
import { isRoot } from "./probe.js";

/** Exit code of the script if cp was not started. */
const NOT_STARTED = 125;

/**
 * In a mount namespace of its own: the current folder becomes a mount in which no symbolic link is followed (MS_NOSYMFOLLOW of
 * mount(2), Linux 5.10), and without what is mounted below it. The kernel's table has the last word on whether links are barred.
 */
const script = `
mount --no-canonicalize --bind -o ro,nosymfollow . "$1" && cd "$1" && exec 9<. || exit ${NOT_STARTED}
shift
while read -r key value; do [ "$key" = mnt_id: ] && id=$value; done </proc/self/fdinfo/9
grep -Eq "^$id ([^ ]+ ){4}[^ ]*nosymfollow" /proc/self/mountinfo ||
  { echo "symbolic links cannot be barred" >&2; exit ${NOT_STARTED}; }
exec "$@" 9<&-
`;

/**
 * Runs GNU cp in a held folder, with sources relative to it. As root, nothing outside of it can be read, whatever its owner puts there
 * meanwhile: a folder that is swapped for a link is an error of cp. Another user could read only what is readable for that user.
 *
 * @param from Of a mount of this mount namespace.
 * @param at An empty folder that only root can change, as the place of the mount, which no other process sees.
 */
export async function cp(from: FolderHandle, at: string, args: readonly string[], ctx: Context): Promise<ExecResult> {
  if (!isRoot()) return ctx.exec("cp", args, { cwd: from.sharedPath });
  return runAsRoot(from, at, ["cp", ...args], ctx);
}

/** As root, any program in such a folder. @param at As for `cp` */
export async function runAsRoot(
  from: FolderHandle,
  at: string,
  command: readonly string[],
  ctx: Context,
): Promise<ExecResult> {
  const shell = ["sh", "-c", script, "sh", at, ...command];
  const cwd = from.sharedPath;
  const result = await ctx.exec("unshare", ["--mount", "--propagation", "private", "--", ...shell], { cwd });
  if (result.exitCode !== NOT_STARTED) return result;
  throw new PluginError(
    "COPY_FAILED",
    `${from.path} cannot be read in a way that no link leads out of: ${result.stderr.trim().replaceAll("\n", "; ")}.`,
    "As root, this needs Linux 5.10, util-linux 2.37, and the right to mount.",
  );
}

/** Bytes of arguments in one run of cp; the kernel allows a quarter of the stack limit, 2 MiB by default (execve(2)). */
const ARGUMENTS = 512 * 1024;
const SHOWN = 10;

/** As few runs as the arguments fit into. */
export function inRuns(sources: readonly string[]): string[][] {
  const runs: string[][] = [];
  let free = 0;
  for (const source of sources) {
    // Each argument takes its bytes, a zero and a pointer.
    const size = Buffer.byteLength(source) + 9;
    if (size > free) {
      runs.push([]);
      free = ARGUMENTS;
    }
    runs.at(-1)?.push(source);
    free -= size;
  }
  return runs;
}

/** What cp reported, without errors. @throws PluginError COPY_FAILED */
export function messagesOf({ exitCode, stderr }: ExecResult): CpMessage[] {
  const messages = readCpMessages(stderr);
  const errors = messages.flatMap((one) => (one.kind === "error" ? [one.message] : []));
  if (errors.length === 0 && (exitCode === 0 || messages.length > 0)) return messages;
  if (errors.length === 0 && exitCode === null)
    throw new PluginError(
      "COPY_FAILED",
      "cp failed: a signal ended it.",
      "See whether a limit did that, such as `ulimit -f`, or the memory: journalctl -k -n 50",
    );
  const ending = `it exited with ${exitCode} and printed nothing`;
  const more = errors.length > SHOWN ? `; and ${errors.length - SHOWN} more` : "";
  const seen = errors.length === 0 ? ending : errors.slice(0, SHOWN).join("; ") + more;
  throw new PluginError("COPY_FAILED", `cp failed: ${seen}.`, "Fix what cp reports, and try again.");
}
