import type { Context, Difference, Snapshot } from "holdstill/plugin";
import { PluginError } from "./errors.js";
import { type LogicalVolume, readVolumes } from "./logical-volume.js";
import { deviceName } from "./mapper.js";
import { withMetadata } from "./metadata-snapshot.js";
import type { Options } from "./options.js";
import { isThin } from "./origin.js";
import { findWhole } from "./snapshot.js";

/** Ranges that a result can have: the host limits its size. */
const MOST = 100_000;

/**
 * Which blocks of a thin pool differ between two of its volumes. The pool knows it: what two volumes share is one block on the disk. Only
 * its metadata are read, by thin_delta(8).
 *
 * @throws PluginError UNSUPPORTED, BUSY, UNKNOWN_SNAPSHOT, UNREACHABLE, DELTA_FAILED
 */
export async function diff(from: Snapshot, to: Snapshot, ctx: Context<Options>): Promise<Difference> {
  const all = await readVolumes(ctx);
  const older = (await findWhole(from, all, ctx)).volume;
  const newer = (await findWhole(to, all, ctx)).volume;
  const ids = thinIds(older, newer);
  const report = await withMetadata(newer, ctx, async (metadata) => {
    const args = ["--metadata-snap", "--thin1", `${ids.older}`, "--thin2", `${ids.newer}`, metadata];
    const { exitCode, stdout, stderr } = await ctx.exec("thin_delta", args);
    if (exitCode === 0) return stdout;
    const message = `thin_delta ${args.join(" ")} failed: ${stderr.trim().replaceAll("\n", "; ")}`;
    throw new PluginError("DELTA_FAILED", message, "thin_check(8) shows whether the metadata are damaged.");
  });
  return {
    from: nodeOf(older),
    to: nodeOf(newer),
    sizeBytes: newer.bytes,
    data: pairsOf(report, ["different", "right_only"], newer.bytes),
    holes: pairsOf(report, ["left_only"], newer.bytes),
  };
}

/** @throws PluginError UNSUPPORTED */
function thinIds(older: LogicalVolume, newer: LogicalVolume): { older: number; newer: number } {
  for (const one of [older, newer])
    if (!isThin(one) || one.thinId === null)
      throw unsupported(`${nodeOf(one)} is not a thin snapshot: LVM does not list what changed in a thick one.`);
  if (older.vg.uuid !== newer.vg.uuid || older.pool !== newer.pool)
    throw unsupported(`${nodeOf(older)} and ${nodeOf(newer)} are not in one pool.`);
  return { older: older.thinId ?? 0, newer: newer.thinId ?? 0 };
}

const unsupported = (problem: string): PluginError =>
  new PluginError("UNSUPPORTED", problem, "Read the whole volume: holdstill expose.");

/** There while the volume is active. Of an encrypted one it has the encrypted contents. */
const nodeOf = (volume: LogicalVolume): string => `/dev/mapper/${deviceName(volume)}`;

/** Elements of thin_delta's report, which is flat: `<different begin="0" length="4"/>`, in blocks of the pool. */
const ELEMENT = /<(\w+) begin="(\d+)" length="(\d+)"/g;
/** Sectors of 512 bytes. */
const BLOCK_SIZE = /data_block_size="(\d+)"/;

type Kind = "different" | "right_only" | "left_only";

/** Adjacent ranges are one. @throws PluginError DELTA_FAILED */
function pairsOf(report: string, kinds: readonly Kind[], sizeBytes: number): number[] {
  const blockBytes = Number(BLOCK_SIZE.exec(report)?.[1] ?? 0) * 512;
  if (blockBytes === 0)
    throw new PluginError("DELTA_FAILED", "thin_delta wrote no block size.", "See which version it is: thin_delta -V");
  const pairs: number[] = [];
  for (const [, kind = "", begin, length] of report.matchAll(ELEMENT)) {
    const start = Number(begin) * blockBytes;
    const end = Math.min(start + Number(length) * blockBytes, sizeBytes);
    if (!(kinds as readonly string[]).includes(kind) || start >= end) continue;
    const [last = 0, its = 0] = pairs.slice(-2);
    if (pairs.length > 0 && last + its === start) pairs[pairs.length - 1] = end - last;
    else pairs.push(start, end - start);
  }
  if (pairs.length <= 2 * MOST) return pairs;
  throw unsupported(`The snapshots differ in ${pairs.length / 2} ranges, and a result can have ${MOST}.`);
}
