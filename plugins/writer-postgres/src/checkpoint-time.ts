import type { Cluster } from "./cluster.js";
import type { Options } from "./options.js";

/** Seconds as whole minutes, for a person. */
export function minutes(seconds: number): string {
  return `${Math.ceil(seconds / 60)} min`;
}

/** A limit for prepare, as the config has it. A checkpoint that is running already has to end first. */
export function limitFor(checkpointSeconds: number): string {
  return `${Math.ceil((checkpointSeconds * 1.5) / 60)}m`;
}

/**
 * Why backup mode may not begin before the call's limit; undefined if it will. A spread checkpoint takes as long as the server's
 * settings say, whatever the limit is.
 */
export function tooShort(
  { checkpointSeconds }: Cluster,
  { checkpoint }: Pick<Options, "checkpoint">,
  leftMs: number,
): string | undefined {
  if (checkpoint === "fast" || checkpointSeconds * 1000 <= leftMs) return undefined;
  const takes = `a spread checkpoint takes up to ${minutes(checkpointSeconds)}, and prepare has ${minutes(leftMs / 1000)}`;
  return `${takes}: set limits.prepare to ${limitFor(checkpointSeconds)}, or the option checkpoint to fast`;
}

/** How long the user may have to wait for backup mode, and what shortens it; empty for a fast checkpoint. */
export const spreadOver = ({ checkpointSeconds }: Cluster, { checkpoint }: Pick<Options, "checkpoint">): string =>
  checkpoint === "fast" ? "" : `, for up to ${minutes(checkpointSeconds)} (option checkpoint)`;
