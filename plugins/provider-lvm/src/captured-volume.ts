import type { BlockDevice, Volume } from "holdstill/plugin";
import { holdersOf } from "#kit/mapped-devices.js";
import { mountsOf } from "#kit/mounts.js";
import type { LogicalVolume } from "./logical-volume.js";
import { activeDevice } from "./mapper.js";
import { type Own, ownOf } from "./ownership.js";

/**
 * What a snapshot captured, as it is mounted now: LVM's tags are too short for the paths, so without a record the whole file system
 * is meant. undefined: its origin is not active, or its file system is not mounted.
 */
export function capturedVolume(own: Own, all: readonly LogicalVolume[]): Volume | undefined {
  const origin = originOf(own, all);
  const device = origin === undefined ? undefined : activeDevice(origin);
  if (device === undefined) return undefined;
  // What LVM puts between a volume and its snapshots is a holder as well.
  const crypt = holdersOf(device).find(({ uuid }) => uuid.startsWith("CRYPT-"));
  const top = crypt ?? device;
  const devices = [...new Set([top, device])].map(({ name, number, node, uuid, sectors }): BlockDevice => ({
    name: node.slice("/dev/".length),
    number,
    kind: uuid.startsWith("CRYPT-") ? "crypt" : "lvm",
    label: name,
    uuid,
    sizeBytes: sectors * 512,
    lower: [],
  }));
  if (own.kind === "block") return { kind: "block", id: own.captured, devices, paths: [`/dev/mapper/${top.name}`] };
  const mount = mountsOf([top.number]).findLast(({ root }) => root === "/");
  if (mount === undefined) return undefined;
  return {
    id: own.captured,
    mountPoint: mount.point,
    fsType: mount.fsType,
    source: `/dev/mapper/${top.name}`,
    root: "/",
    devices,
    paths: [mount.point],
    exclude: [],
  };
}

/** The volume that is not a snapshot of holdstill's: a fork has a snapshot as its origin. */
function originOf({ volume, of }: Own, all: readonly LogicalVolume[]): LogicalVolume | undefined {
  const name = volume.origin ?? of;
  const below = all.find((one) => one.vg.uuid === volume.vg.uuid && one.name === name);
  const own = below === undefined ? null : ownOf(below);
  return own === null ? below : originOf(own, all);
}
