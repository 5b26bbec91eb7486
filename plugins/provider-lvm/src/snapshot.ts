import path from "node:path";
import type { Context, Snapshot, Volume } from "holdstill/plugin";
import { cryptOf } from "./crypt.js";
import { hasGroup, type LogicalVolume, pathOf } from "./logical-volume.js";
import { isThin } from "./origin.js";
import { type Own, ownOf } from "./ownership.js";
import { groupMissing, PluginError } from "./errors.js";
import { assertWhole, usageOf } from "./space.js";
import { capturedVolume } from "./captured-volume.js";

/** What of the captured volume is needed to show its snapshot. */
export type Captured = CapturedFiles | CapturedDevice;

interface CapturedPaths {
  readonly paths: readonly string[];
  /** What encrypts it, by device-mapper name, and has the key; null: nothing. */
  readonly crypt: string | null;
}

export interface CapturedFiles extends CapturedPaths {
  /** Absent in records of earlier versions. */
  readonly kind?: "filesystem";
  readonly fsType: string;
  readonly mountPoint: string;
  readonly root: string;
}

export interface CapturedDevice extends CapturedPaths {
  readonly kind: "block";
}

/** As the host keeps it. LVM's tags are too short for the paths: only the host's record has them. */
export function toSnapshot(own: Own, volume?: Volume): Snapshot {
  const {
    volume: { vg, bytes, full, uuid, origin, createdAt },
    id,
    of,
    captured,
    setId,
    cutAt,
  } = own;
  const isThick = !isThin(own.volume);
  const trees = volume === undefined ? {} : pick(volume);
  return {
    id,
    ...(of === null ? {} : { of: path.join(path.dirname(id), of) }),
    setId,
    volumeId: captured,
    createdAt: cutAt ?? createdAt,
    ...(isThick && full.data !== null ? { bytes: Math.round((bytes * full.data) / 100) } : {}),
    method: isThick ? "thick" : "thin",
    facts: {
      uuid,
      group: vg.uuid,
      origin,
      ...(isThick ? { spaceBytes: bytes } : {}),
      ...trees,
    },
  };
}

/** How it is now. */
export function describeNow(own: Own, all: readonly LogicalVolume[]): Snapshot {
  const { volume } = own;
  const fill = usageOf(volume, all);
  const captured = capturedVolume(own, all);
  return {
    ...toSnapshot(own, captured),
    ...(captured === undefined ? {} : { volume: captured }),
    ...(fill === null ? {} : { usage: fill }),
    ...(volume.isMerging ? { lost: "a revert puts it in place of its origin when that is activated next" } : {}),
    ...(volume.isInvalid ? { lost: "it overflowed" } : {}),
  };
}

function pick(volume: Volume): Captured {
  const crypt = cryptOf(volume);
  if (volume.kind === "block") return { kind: volume.kind, paths: volume.paths, crypt };
  const { fsType, mountPoint, root, paths } = volume;
  return { fsType, mountPoint, root, paths, crypt };
}

/**
 * The volume of a snapshot, by its UUID: a group may have been renamed. null: it no longer exists, or was taken over by another name.
 *
 * @throws PluginError UNREACHABLE: what LVM does not see may still exist
 */
export async function find(
  { id, facts, setId }: Snapshot,
  all: readonly LogicalVolume[],
  ctx: Context,
): Promise<Own | null> {
  const { uuid, group } = (facts ?? {}) as { uuid?: string; group?: string };
  const volume = all.find((one) => (uuid === undefined ? pathOf(one) === id : one.uuid === uuid));
  if (volume !== undefined) return ownOf(volume);
  if (group !== undefined && !(await hasGroup(group, all, ctx))) throw groupMissing(id, setId);
  return null;
}

/**
 * A snapshot that can be shown.
 *
 * @throws PluginError UNKNOWN_SNAPSHOT, UNREACHABLE, INVALID
 */
export async function findWhole(snapshot: Snapshot, all: readonly LogicalVolume[], ctx: Context): Promise<Own> {
  const own = await find(snapshot, all, ctx);
  if (own === null || own.cutAt === null) {
    const message = `The snapshot ${snapshot.id} does not exist, or is not complete.`;
    throw new PluginError("UNKNOWN_SNAPSHOT", message, "Delete its set.");
  }
  assertWhole(own.volume);
  if (own.volume.isMerging) {
    const message = `The snapshot ${snapshot.id} is being put in place of its origin.`;
    throw new PluginError(
      "UNKNOWN_SNAPSHOT",
      message,
      "Unmount the origin and activate it again: lvchange -an, lvchange -ay.",
    );
  }
  return own;
}

/** @throws PluginError UNKNOWN_SNAPSHOT */
export function capturedBy({ id, facts }: Snapshot): Captured {
  const { kind, paths, crypt = null } = (facts ?? {}) as Partial<Captured>;
  if (kind === "block" && Array.isArray(paths)) return { kind, paths, crypt };
  const { fsType, mountPoint, root } = (facts ?? {}) as Partial<CapturedFiles>;
  if (
    typeof fsType === "string" &&
    typeof mountPoint === "string" &&
    typeof root === "string" &&
    Array.isArray(paths)
  ) {
    return { fsType, mountPoint, root, paths, crypt };
  }
  const message = `The record of snapshot ${id} does not have its paths.`;
  throw new PluginError("UNKNOWN_SNAPSHOT", message, "Mount it manually, read-only.");
}
