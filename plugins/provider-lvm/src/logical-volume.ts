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
  /** Percent; null if LVM does not report it. Of a thick snapshot, `data` is how full its store is. */
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
  readonly isReadOnly: boolean;
  readonly missingDisks: number;
  /** How many volumes it has, and may have; 0: any number. */
  readonly volumes: { readonly count: number; readonly limit: number };
}

const fields = (
  "vg_name vg_uuid vg_extent_size vg_free vg_lock_type vg_clustered vg_permissions vg_missing_pv_count max_lv lv_count " +
  "lv_name lv_uuid lv_tags lv_layout lv_role lv_attr lv_size lv_time lv_health_status " +
  "lv_active lv_device_open lv_merging origin pool_lv thin_id data_percent metadata_percent raidintegritymode"
).split(" ");

/** lvs gives every field as text. */
type Row = Record<string, string>;

/** All logical volumes of this machine, hidden ones too. */
export async function readVolumes(ctx: Context): Promise<LogicalVolume[]> {
  const args = ["--all", "--reportformat", "json", "--units", "b", "--nosuffix", "-o", fields.join(",")];
  const report = JSON.parse(await lvm(ctx, "lvs", args)) as { report: { lv: Row[] }[] };
  return report.report.flatMap(({ lv }) => lv).map(toVolume);
}

/** Whether a volume group is there. One without volumes is in no report of volumes. */
export async function hasGroup(uuid: string, all: readonly LogicalVolume[], ctx: Context): Promise<boolean> {
  if (all.some(({ vg }) => vg.uuid === uuid)) return true;
  const groups = await lvm(ctx, "vgs", ["--noheadings", "-o", "vg_uuid"]);
  return groups.split("\n").some((line) => bare(line.trim()) === uuid);
}

/** The same, and `freeBytes` is what LVM may allocate: `vg_free` also counts disks that take no new volumes (pvchange -x n). */
export async function readAllocatable(ctx: Context): Promise<LogicalVolume[]> {
  // One after the other: two of LVM's reports at once may fail over the files that they share.
  const volumes = await readVolumes(ctx);
  const bytes = await allocatableBytes(ctx).catch((error: unknown) => {
    // Only a check in advance: LVM itself refuses what it cannot allocate.
    ctx.log.debug("the disks of the volume groups are not known", { reason: String(error) });
    return new Map<string, number>();
  });
  return volumes.map((volume) => {
    const { vg } = volume;
    return { ...volume, vg: { ...vg, freeBytes: Math.min(vg.freeBytes, bytes.get(vg.uuid) ?? vg.freeBytes) } };
  });
}

/** By the group's UUID. */
async function allocatableBytes(ctx: Context): Promise<Map<string, number>> {
  const columns = ["vg_uuid", "pv_free", "pv_allocatable"];
  const args = ["--reportformat", "json", "--units", "b", "--nosuffix", "-o", columns.join(",")];
  const report = JSON.parse(await lvm(ctx, "pvs", args)) as { report: { pv: Row[] }[] };
  const bytes = new Map<string, number>();
  for (const row of report.report.flatMap(({ pv }) => pv)) {
    const group = bare(row["vg_uuid"] ?? "");
    const free = row["pv_allocatable"] === "allocatable" ? Number(row["pv_free"]) : 0;
    bytes.set(group, (bytes.get(group) ?? 0) + free);
  }
  return bytes;
}

function toVolume(row: Row): LogicalVolume {
  const text = (field: string): string => row[field] ?? "";
  const attr = text("lv_attr");
  return {
    vg: {
      name: text("vg_name"),
      uuid: bare(text("vg_uuid")),
      extentBytes: Number(text("vg_extent_size")),
      freeBytes: Number(text("vg_free")),
      isReadOnly: text("vg_permissions") === "read-only",
      missingDisks: Number(text("vg_missing_pv_count")),
      volumes: { count: Number(text("lv_count")), limit: Number(text("max_lv")) },
      isShared: !["", "none"].includes(text("vg_lock_type")) || text("vg_clustered") !== "",
    },
    name: visible(text("lv_name")),
    uuid: bare(text("lv_uuid")),
    tags: list(text("lv_tags")),
    layout: list(text("lv_layout")),
    role: list(text("lv_role")),
    isActive: text("lv_active") === "active",
    isOpen: text("lv_device_open") === "open",
    isMerging: text("lv_merging") !== "",
    isReadOnly: attr[1] === "r",
    bytes: Number(text("lv_size")),
    origin: text("origin") === "" ? null : visible(text("origin")),
    pool: text("pool_lv") === "" ? null : text("pool_lv"),
    thinId: text("thin_id") === "" ? null : Number(text("thin_id")),
    full: { data: percent(text("data_percent")), metadata: percent(text("metadata_percent")) },
    // lvs(8), lv_attr: the state of a snapshot that overflowed is I, or S if it is also suspended.
    isInvalid: attr[4] === "I" || attr[4] === "S",
    health: text("lv_health_status"),
    hasIntegrity: text("raidintegritymode") !== "",
    createdAt: new Date(Number(text("lv_time")) * 1000).toISOString(),
  };
}

/** Without the brackets that lvs puts around the name of a hidden one. */
const visible = (name: string): string => name.replaceAll(/[[\]]/g, "");
const bare = (uuid: string): string => uuid.replaceAll("-", "");
const list = (text: string): string[] => text.split(",").filter((entry) => entry !== "");
const percent = (text: string): number | null => (text === "" ? null : Number(text));

/** VG/LV, as LVM's commands take it. */
export const pathOf = ({ vg, name }: Pick<LogicalVolume, "vg" | "name">): string => `${vg.name}/${name}`;
