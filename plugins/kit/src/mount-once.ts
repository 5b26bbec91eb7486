import { mkdirSync, rmdirSync } from "node:fs";
import path from "node:path";
import type { Context } from "holdstill/plugin";
import { mount, unmount } from "./mounts.js";
import { PluginError } from "./plugin-error.js";
import { walk } from "./walk.js";

/** Options with which a file system is mounted beside its original without a write, and without the replay of its journal. */
const untouched: Readonly<Record<string, readonly string[]>> = {
  ext2: [],
  ext3: ["noload"],
  ext4: ["noload"],
  xfs: ["norecovery", "nouuid"],
  f2fs: ["norecovery"],
};

/** A path that was to be captured. */
export interface CapturedPath {
  readonly original: string;
  /** The same as the file system itself would call it. */
  readonly inner: string;
}

/**
 * Mounts a snapshot and unmounts it again, so that nothing is promised of one that cannot be opened, or that does not have what was
 * planned. A file system of another type is not mounted: it might write.
 *
 * @param name Unique among those that are mounted at the same time.
 * @throws PluginError MOUNT, TARGET_CHANGED
 */
export async function mountOnce(
  node: string,
  fsType: string,
  captured: readonly CapturedPath[],
  name: string,
  ctx: Pick<Context, "exec" | "dataDir">,
): Promise<void> {
  const options = untouched[fsType];
  if (options === undefined) return;
  const point = path.join(ctx.dataDir, `opened-${name}`);
  mkdirSync(point, { recursive: true, mode: 0o700 });
  try {
    await mount(node, point, { fsType, options: ["ro", ...options] }, ctx);
    try {
      for (const one of captured) assertCaptured(one, point);
    } finally {
      await unmount(point, ctx);
    }
  } finally {
    rmdirSync(point);
  }
}

/**
 * Another user may have put a link in place of a captured path, or of a folder above it, after the plan.
 *
 * @param point Where the snapshot can be seen.
 * @throws PluginError TARGET_CHANGED
 */
export function assertCaptured({ original, inner }: CapturedPath, point: string): void {
  using top = walk(point, { owners: "any" });
  const relative = path.relative("/", inner);
  if (relative === "") return;
  const refuse = (reason: string, cause?: unknown): never => {
    const message = `In the snapshot, ${original} is not what was planned: ${reason}.`;
    throw new PluginError("TARGET_CHANGED", message, "See who changed it since the plan, and take the set again.", {
      cause,
    });
  };
  try {
    using found = top.entry(relative, { owners: "any" });
    if (found.status().type !== "symbolic link") return;
  } catch (error) {
    if (!(error instanceof PluginError)) throw error;
    refuse("it does not exist there, or a part of the path is a link", error);
  }
  refuse("it is a link");
}
