import type { Context } from "holdstill/plugin";
import { lvm } from "./lvm.js";

/** A logical volume, as LVM reports it (lvmreport(7)), with what is asked of its volume group. */
export interface LogicalVolume {
  readonly vg: VolumeGroup;
  readonly name: string;
  /** As in device-mapper's UUIDs: without hyphens. */
  readonly uuid: string;
  readonly tags: readonly string[];
  /** linear, striped, raid1, cache, thin, pool, … */
  readonly layout: readonly string[];
  /** public, private, origin, snapshot, thicksnapshot, thinsnapshot, … */
  readonly role: readonly string[];
  readonly isActive: boolean;
  readonly isOpen: boolean;
  readonly isMerging: boolean;
  readonly isReadOnly: boolean;
  readonly bytes: number;
  readonly origin: string | null;
  readonly pool: string | null;
  readonly thinId: number | null;
  /** Percent; null where LVM does not say. Of a thick snapshot `data` is how full its room is. */
  readonly full: { readonly data: number | null; readonly metadata: number | null };
  /** A thick snapshot that overflowed. */
  readonly isInvalid: boolean;
  /** Empty: nothing to complain of. */
  readonly health: string;
  readonly hasIntegrity: boolean;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
}

export interface VolumeGroup {
  readonly name: string;
  readonly uuid: string;
  readonly extentBytes: number;
  readonly freeBytes: number;
  /** Other machines may use it too: by lvmlockd, or by the clustered locking of old. */
  readonly isShared: boolean;
}

const fields = [
  ...["vg_name", "vg_uuid", "vg_extent_size", "vg_free", "vg_lock_type", "vg_clustered"],
  ...["lv_name", "lv_uuid", "lv_tags", "lv_layout", "lv_role", "lv_attr", "lv_size", "lv_time", "lv_health_status"],
  ...["lv_active", "lv_device_open", "lv_merging", "origin", "pool_lv", "thin_id"],
  ...["data_percent", "metadata_percent", "raidintegritymode"],
] as const;

type Row = Record<(typeof fields)[number], string>;

/** All logical volumes of this machine, hidden ones too. */
export async function readVolumes(ctx: Context): Promise<LogicalVolume[]> {
  const args = ["--all", "--reportformat", "json", "--units", "b", "--nosuffix", "-o", fields.join(",")];
  const answer = JSON.parse(await lvm(ctx, "lvs", args)) as { report: { lv: Row[] }[] };
  return answer.report.flatMap(({ lv }) => lv).map(toVolume);
}

function toVolume(row: Row): LogicalVolume {
  return {
    vg: {
      name: row.vg_name,
      uuid: bare(row.vg_uuid),
      extentBytes: Number(row.vg_extent_size),
      freeBytes: Number(row.vg_free),
      isShared: !["", "none"].includes(row.vg_lock_type) || row.vg_clustered !== "",
    },
    // Brackets are lvs's sign for a hidden one.
    name: row.lv_name.replaceAll(/[[\]]/g, ""),
    uuid: bare(row.lv_uuid),
    tags: list(row.lv_tags),
    layout: list(row.lv_layout),
    role: list(row.lv_role),
    isActive: row.lv_active === "active",
    isOpen: row.lv_device_open === "open",
    isMerging: row.lv_merging !== "",
    isReadOnly: row.lv_attr[1] === "r",
    bytes: Number(row.lv_size),
    origin: row.origin === "" ? null : row.origin.replaceAll(/[[\]]/g, ""),
    pool: row.pool_lv === "" ? null : row.pool_lv,
    thinId: row.thin_id === "" ? null : Number(row.thin_id),
    full: { data: percent(row.data_percent), metadata: percent(row.metadata_percent) },
    // lvs(8), lv_attr: the state of a snapshot that overflowed is I, or S where it was being merged.
    isInvalid: "IS".includes(row.lv_attr[4] ?? "-"),
    health: row.lv_health_status,
    hasIntegrity: row.raidintegritymode !== "",
    createdAt: new Date(Number(row.lv_time) * 1000).toISOString(),
  };
}

const bare = (uuid: string): string => uuid.replaceAll("-", "");
const list = (text: string): string[] => text.split(",").filter((entry) => entry !== "");
const percent = (text: string): number | null => (text === "" ? null : Number(text));

/** VG/LV, as LVM's commands take it. */
export const pathOf = ({ vg, name }: Pick<LogicalVolume, "vg" | "name">): string => `${vg.name}/${name}`;
