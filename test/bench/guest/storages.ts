import { execFileSync } from "node:child_process";
import path from "node:path";
import type { TestContext } from "node:test";
import { MappedDisk } from "../../lab/support/mapped-disk.js";
import { type MountedVolume, run, VolumeGroup } from "../../lab/support/volume-group.js";
import { scripts } from "../samples.js";

/** A kind of volume, with the ways to take snapshots of it that are not ours. */
export interface Storage {
  readonly name: string;
  /** Blocks of a config. */
  readonly plugins: readonly unknown[];
  readonly volumes: readonly MountedVolume[];
  /** The best script; answers how long I/O was held, ms. `undo` removes what it made. */
  readonly script: Way<number>;
  /** One lvcreate after the other, as snapm does: not of one instant. Plain devices have no such command. */
  readonly inTurn?: Way<void>;
}

interface Way<T> {
  readonly take: (volumes: readonly MountedVolume[]) => T;
  readonly undo: (volumes: readonly MountedVolume[]) => void;
}

/** MiB. */
const [SIZE, STORE] = [24, 12];
const names = (count: number): string[] => Array.from({ length: count }, (_, at) => `v${at + 1}`);

export const storages: Record<string, (t: TestContext, count: number) => Storage> = {
  thick(t, count) {
    const vg = new VolumeGroup(t);
    const snapshotOf = (lv: string): string[] => [
      "-An",
      "-y",
      "-s",
      "-L",
      `${STORE}M`,
      "-n",
      `${lv}-turn`,
      `${vg.name}/${lv}`,
    ];
    return {
      name: "thick",
      plugins: [{ use: "provider-lvm", options: { size: `${STORE}M` } }],
      volumes: names(count).map((name) => vg.thick(name, "ext4", SIZE)),
      script: {
        take: (volumes) => held("volumes-thick.sh", [vg.name, `${STORE}M`, ...volumes.map(({ name }) => name)]),
        undo: (volumes) => remove(vg, volumes, "script"),
      },
      inTurn: {
        take: (volumes) => volumes.forEach(({ name }) => vg.lvm("lvcreate", snapshotOf(name))),
        undo: (volumes) => remove(vg, volumes, "turn"),
      },
    };
  },
  thin(t, count) {
    const vg = new VolumeGroup(t);
    vg.pool("pool", 600);
    return {
      name: "thin",
      plugins: [{ use: "provider-lvm" }],
      volumes: names(count).map((name) => vg.thin("pool", name, "ext4", SIZE)),
      script: {
        take: (volumes) => held("volumes-thin.sh", [vg.name, "pool", `${SIZE}M`, ...volumes.map(({ name }) => name)]),
        undo: (volumes) => remove(vg, volumes, "script"),
      },
      inTurn: {
        take: (volumes) =>
          volumes.forEach(({ name }) => vg.lvm("lvcreate", ["-y", "-s", "-n", `${name}-turn`, `${vg.name}/${name}`])),
        undo: (volumes) => remove(vg, volumes, "turn"),
      },
    };
  },
  dmsnap(t, count) {
    const disk = new MappedDisk(t);
    const volumes = names(count).map((name) => disk.volume(name, "ext4", SIZE));
    const store = disk.store("store", count * STORE);
    for (const { name } of volumes) disk.store(`${name}-cow`, STORE);
    return {
      name: "dmsnap",
      plugins: [{ use: "provider-dmsnap", options: { size: `${STORE / 2}M`, store } }],
      volumes,
      script: {
        take: (some) =>
          held(
            "volumes-mapped.sh",
            some.map(({ name }) => name),
          ),
        undo(some) {
          for (const { name } of some) {
            run("dmsetup", ["load", name, "--table", run("dmsetup", ["table", `${name}-real`])]);
            run("dmsetup", ["suspend", name]);
            run("dmsetup", ["resume", name]);
            run("dmsetup", ["remove", `${name}-script`]);
            run("dmsetup", ["remove", `${name}-real`]);
            // Its table of contents would be taken for one that goes on.
            run("dd", ["if=/dev/zero", `of=/dev/mapper/${name}-cow`, "bs=64k", "count=1", "conv=fsync", "status=none"]);
          }
        },
      },
    };
  },
};

/** A script that prints when it began to hold and when all was released, ns. */
function held(script: string, args: readonly string[]): number {
  const output = execFileSync("sh", [path.join(scripts, script), ...args], { encoding: "utf8" });
  const [began = Number.NaN, ended = Number.NaN] = output.trim().split("\n").map(Number);
  return (ended - began) / 1e6;
}

function remove(vg: VolumeGroup, volumes: readonly MountedVolume[], suffix: string): void {
  vg.lvm("lvremove", ["-y", ...volumes.map(({ name }) => `${vg.name}/${name}-${suffix}`)]);
}
