import { fchmodSync, fchownSync, futimesSync, lstatSync } from "node:fs";
import path from "node:path";
import type { Context, ExecResult } from "holdstill/plugin";
import { readCpMessages, type CpMessage } from "./complaints.js";
import { closeFolder, withFolder } from "./folder.js";
import { isRoot } from "./probe.js";
import { PluginError } from "./errors.js";
import { select, type Frame } from "./selection.js";

/** What happened while the files were copied. */
export interface CopyFacts {
  /** Names that were gone before cp came to them. */
  vanished: number;
  /** Files that were replaced by others of the same name while being copied, and then copied again. */
  copiedAgain: number;
  /** Files that could not share their extents (btrfs: no copy-on-write) and were copied. */
  unshared: number;
}

export interface CopyJob {
  paths: readonly string[];
  exclude: readonly string[];
  /** Exists, is empty, and no other user may enter it. The trees are copied below it, under their absolute paths. */
  folder: string;
  method: "reflink" | "copy";
}

/** Bytes of arguments in one run of cp; the kernel allows a quarter of the stack limit, 2 MiB by default (execve(2)). */
const ARGUMENTS = 512 * 1024;
/** Runs for files that are replaced while cp copies them, before it is an error. */
const ATTEMPTS = 8;
const SHOWN = 10;

/**
 * Copies with GNU cp, which keeps owner, mode, times, ACLs, extended attributes, holes and links. All sources go to one run,
 * as long as they fit, because cp keeps hard links within a run only.
 */
export async function copyTrees(job: CopyJob, ctx: Context): Promise<CopyFacts> {
  const { frames, sources } = select(job.paths, job.exclude);
  const facts: CopyFacts = { vanished: 0, copiedAgain: 0, unshared: 0 };
  await makeFrames(frames, job.folder, ctx);
  let pending = chunk(sources);
  if (pending.length > 1) ctx.log.warn("hard links between parts of a very long list are copied as files of their own");
  // Only `always` reports what could not be cloned; `auto` then copies that, and still clones the rest.
  let reflink = job.method === "reflink" ? "always" : "auto";
  for (let attempt = 1; pending.length > 0; attempt += 1) {
    const complaints: CpMessage[] = [];
    for (const part of pending) {
      ctx.signal.throwIfAborted();
      complaints.push(...(await cp(["-a", "-x", "--sparse=auto", `--reflink=${reflink}`], part, job.folder, ctx)));
    }
    const again = complaints.flatMap((complaint) => ("source" in complaint ? [`/${complaint.source}`] : []));
    if (again.length > 0 && attempt === ATTEMPTS) throw replacedTooOften(again);
    facts.vanished += tally(complaints, "vanished");
    facts.copiedAgain += tally(complaints, "replaced");
    facts.unshared += tally(complaints, "unclonable");
    pending = chunk(again);
    reflink = "auto";
  }
  finishFrames(frames, job.folder);
  for (const target of job.paths) assertCopied(target, job.folder);
  return facts;
}

/**
 * Makes the directories that are copied in parts. `cp --parents` makes the parents of its argument with owner, mode and ACL;
 * without -r it leaves out the directory itself. (A directory's other extended attributes are lost.) Until everything is
 * copied, only this user may enter them: their owners could replace what is below by links.
 */
async function makeFrames(frames: readonly Frame[], folder: string, ctx: Context): Promise<void> {
  const dirs = frames.filter((frame) => frame.path !== "/").map((frame) => `${frame.path}/.`);
  for (const part of chunk(dirs)) await cp(["-d", "-p"], part, folder, ctx);
  for (const { path: dir } of frames) {
    if (isRoot()) withFolder(path.join(folder, dir), (fd) => fchownSync(fd, 0, 0));
    closeFolder(path.join(folder, dir));
  }
}

/**
 * Deepest first: a directory's time changes with what is made in it, and only this user may enter what is above. The root's own frame
 * is the snapshot's folder, which stays as it is.
 */
function finishFrames(frames: readonly Frame[], folder: string): void {
  for (const { path: dir, stat } of frames.filter((frame) => frame.path !== "/").toReversed()) {
    withFolder(path.join(folder, dir), (fd) => {
      if (isRoot()) fchownSync(fd, stat.uid, stat.gid);
      fchmodSync(fd, stat.mode & 0o7777);
      futimesSync(fd, stat.atimeMs / 1000, stat.mtimeMs / 1000);
    });
  }
}

/** Runs cp from the root, with relative sources: so --parents mirrors absolute paths, and in cp's messages a source differs from a target. */
async function cp(options: string[], sources: readonly string[], folder: string, ctx: Context): Promise<CpMessage[]> {
  const relative = sources.map((source) => source.slice(1) || ".");
  const result = await ctx.exec("cp", [...options, "--parents", "-t", folder, "--", ...relative], { cwd: "/" });
  const complaints = readCpMessages(result.stderr);
  const errors = complaints.flatMap((complaint) => (complaint.kind === "error" ? [complaint.message] : []));
  if (errors.length > 0 || (result.exitCode !== 0 && complaints.length === 0)) throw failed(result, errors);
  return complaints;
}

function chunk(sources: readonly string[]): string[][] {
  const chunks: string[][] = [];
  let free = 0;
  for (const source of sources) {
    // Each argument takes its bytes, a zero and a pointer.
    const size = Buffer.byteLength(source) + 9;
    if (size > free) {
      chunks.push([]);
      free = ARGUMENTS;
    }
    chunks.at(-1)?.push(source);
    free -= size;
  }
  return chunks;
}

function tally(complaints: readonly CpMessage[], kind: CpMessage["kind"]): number {
  return complaints.filter((complaint) => complaint.kind === kind).length;
}

function assertCopied(target: string, folder: string): void {
  if (lstatSync(path.join(folder, target), { throwIfNoEntry: false }) !== undefined) return;
  throw new PluginError(
    "COPY_FAILED",
    `${target} vanished while it was copied.`,
    "Find out which program removed it, and try again.",
  );
}

function failed(result: ExecResult, errors: readonly string[]): PluginError {
  const ending =
    result.exitCode === null ? "a signal ended it" : `it exited with ${result.exitCode} and printed nothing`;
  const more = errors.length > SHOWN ? `; and ${errors.length - SHOWN} more` : "";
  const seen = errors.length === 0 ? ending : errors.slice(0, SHOWN).join("; ") + more;
  return new PluginError("COPY_FAILED", `cp failed: ${seen}.`, "Fix what cp reports, and try again.");
}

function replacedTooOften(files: readonly string[]): PluginError {
  return new PluginError(
    "COPY_FAILED",
    `Replaced again and again while being copied: ${files.slice(0, SHOWN).join(", ")}.`,
    "Use a writer that holds the application still, or leave the files out.",
  );
}
