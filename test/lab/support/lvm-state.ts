import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { type FileSystem, type MountedVolume, run, type VolumeGroup } from "./volume-group.js";

/** A thick and a thin volume. */
export function furnish(vg: VolumeGroup): MountedVolume[] {
  vg.pool("pool", 100);
  const volumes = [vg.thick("thick", "ext4", 48), vg.thin("pool", "thin", "ext4", 48)];
  for (const { mount } of volumes) writeFileSync(`${mount}/file`, "precious\n");
  return volumes;
}

export const mounts = (volumes: readonly MountedVolume[]): string[] => volumes.map(({ mount }) => mount);

/** Volumes by LVM, and devices by device-mapper: tables, and whether they are suspended or wait for another table. */
export function stateOf(vg: VolumeGroup): string {
  const lvs = vg.lvm("lvs", ["-a", "--noheadings", "-o", "lv_name,lv_size,origin,lv_tags", vg.name]);
  const columns = "name,suspended,tables_loaded,uuid";
  const devices = run("dmsetup", ["info", "-c", "--noheadings", "--sort", "name", "-o", columns]);
  const tables = run("dmsetup", ["table"]).split("\n").toSorted().join("\n");
  return [lvs, devices, tables].join("\n").replaceAll(/^slow.*$/gm, "");
}

const fsck = {
  ext4: ["fsck.ext4", "-f", "-n"],
  xfs: ["xfs_repair", "-n"],
  f2fs: ["fsck.f2fs", "--dry-run"],
} satisfies Record<FileSystem, string[]>;

/** What LVM's own checks say, and those of the file systems; and the volumes can be written to. */
export function checkAll(vg: VolumeGroup, volumes: readonly MountedVolume[]): void {
  for (const { mount } of volumes) {
    writeFileSync(`${mount}/after`, "written\n");
    run("sync", ["-f", mount]);
    run("umount", [mount]);
  }
  run("vgck", [vg.name]);
  assert.equal(vg.lvm("lvs", ["-a", "--noheadings", "-o", "lv_health_status", vg.name]).trim(), "");
  run("vgchange", ["-q", "-an", vg.name]);
  if (vg.lvm("lvs", ["-a", "--noheadings", "-o", "lv_name", vg.name]).includes("pool_tmeta")) {
    run("lvchange", ["-q", "-y", "-ay", `${vg.name}/pool_tmeta`]);
    run("thin_check", [`/dev/mapper/${vg.dm("pool_tmeta")}`]);
    run("lvchange", ["-q", "-an", `${vg.name}/pool_tmeta`]);
  }
  run("vgchange", ["-q", "-ay", vg.name]);
  for (const { mount, dm, fs } of volumes) {
    const [check = "", ...args] = fsck[fs];
    run(check, [...args, `/dev/mapper/${dm}`]);
    run("mount", [`/dev/mapper/${dm}`, mount]);
    assert.equal(readFileSync(`${mount}/after`, "utf8"), "written\n");
  }
}
