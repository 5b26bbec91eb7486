import type { Volume } from "holdstill/plugin";
import { type LogicalVolume, pathOf } from "./logical-volume.js";
import { deviceName } from "./mapper.js";

/**
 * holdstill's volumes are identified by their tags and by a name with the set's id: with only one of the two, a volume is not
 * holdstill's. To take over a volume, rename it.
 */
export type Role = "snapshot" | "fork" | "scratch";

export type Kind = NonNullable<Volume["kind"]>;

export interface Own {
  readonly volume: LogicalVolume;
  /** VG/LV, as it was made: a group may have been renamed. */
  readonly id: string;
  readonly setId: string;
  readonly role: Role;
  /** Volume.id of what was captured. */
  readonly captured: string;
  readonly kind: Kind;
  /** Name of the snapshot that this is a fork or a layer of. */
  readonly of: string | null;
  /** When the snapshot was taken, ISO 8601; null: it has not been sealed. */
  readonly cutAt: string | null;
}

/** Longest name of a device-mapper device (DM_NAME_LEN, linux/dm-ioctl.h, less the zero at its end). */
const LONGEST = 127;
/** The longest that is put behind a snapshot's name, its hyphens doubled. */
const ROOM = "-fork--scratch-view";

export const tag = {
  role: (role: Role): string => `holdstill.role=${role}`,
  set: (setId: string): string => `holdstill.set=${setId}`,
  id: (id: string): string => `holdstill.id=${id}`,
  captured: (volumeId: string): string => `holdstill.volume=${volumeId}`,
  /** Only of a raw device: the snapshots of earlier versions are of file systems. */
  kind: (kind: Kind = "filesystem"): string[] => (kind === "block" ? [`holdstill.kind=${kind}`] : []),
  of: (name: string): string => `holdstill.of=${name}`,
  cut: (at: string): string => `holdstill.cut=${at}`,
};

/** Arguments for lvcreate. */
export const tagged = (tags: readonly string[]): string[] => tags.flatMap((one) => ["--addtag", one]);

export function ownOf(volume: LogicalVolume): Own | null {
  const value = (key: string): string | null => {
    const found = volume.tags.find((one) => one.startsWith(`holdstill.${key}=`));
    return found === undefined ? null : found.slice(found.indexOf("=") + 1);
  };
  const [role, setId, captured] = [value("role"), value("set"), value("volume")];
  if (setId === null || captured === null || !isRole(role) || !nameCarries(volume.name, setId)) return null;
  return {
    volume,
    id: value("id") ?? pathOf(volume),
    setId,
    role,
    captured,
    kind: value("kind") === "block" ? "block" : "filesystem",
    of: value("of"),
    cutAt: value("cut"),
  };
}

/** A volume of a transaction that is to be undone, and whose name is known, whatever its tags say. */
export const unmarked = (volume: LogicalVolume, setId: string): Own => ({
  volume,
  id: pathOf(volume),
  setId,
  role: "snapshot",
  captured: "",
  kind: "filesystem",
  of: null,
  cutAt: null,
});

const isRole = (role: string | null): role is Role => role === "snapshot" || role === "fork" || role === "scratch";

function nameCarries(name: string, setId: string): boolean {
  const [begin, ending, ...more] = name.split(`-holdstill-${setId}`);
  return begin !== "" && ending !== undefined && more.length === 0 && /^(-\d+)?(-fork)?(-scratch)?$/.test(ending);
}

/** ORIGIN-holdstill-SETID; of a long name only the beginning, and then a number where two begin alike. */
export function snapshotName(origin: LogicalVolume, setId: string, taken: ReadonlySet<string>): string {
  for (let number = 0; ; number += 1) {
    const ending = `-holdstill-${setId}${number === 0 ? "" : `-${number}`}`;
    let begin = origin.name;
    while (deviceName({ vg: origin.vg, name: begin + ending }, ROOM).length > LONGEST) begin = begin.slice(0, -1);
    if (!taken.has(begin + ending)) return begin + ending;
  }
}
