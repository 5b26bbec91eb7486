/** The storages of the matrix that need device-mapper: in a guest. */
import type { TestContext } from "node:test";
import type { Storage, StorageVolume } from "../../matrix/storage.js";
import { mapped, MappedDisk } from "./mapped-disk.js";
import { unlock, vault } from "./vault.js";
import { run, VolumeGroup } from "./volume-group.js";

/** A database, and what is written to it, in MiB. */
const SIZE = 250;

const atomic = { cut: "atomic", reverts: "reverts" } as const;
const lvm = [{ use: "provider-lvm" }];

/** The installers' default. */
export const thick: Storage = {
  ...atomic,
  name: "thick LVM with ext4",
  lay: (t) => lvmVolume(t, (vg) => vg.thick("data", "ext4", SIZE)),
};

export const thin: Storage = {
  ...atomic,
  name: "thin LVM with XFS",
  lay: (t) =>
    lvmVolume(t, (vg) => {
      vg.pool("pool", 700);
      return vg.thin("pool", "data", "xfs", 320);
    }),
};

export const encrypted: Storage = {
  ...atomic,
  name: "ext4 on LUKS on thick LVM",
  lay: (t) =>
    lvmVolume(
      t,
      (vg) => {
        const make = (): void => void vg.lvm("lvcreate", ["-y", "-L", `${SIZE}M`, "-n", "data", vg.name]);
        return { dm: "luks-data", mount: vault(t, vg, "data", make) };
      },
      encryption,
    ),
};

/** A volume is in use while its encryption is open. */
const encryption = {
  close: () => void run("cryptsetup", ["close", "luks-data"]),
  open: (vg: VolumeGroup) => unlock(vg, "data"),
};

export const mapping: Storage = {
  cut: "atomic",
  reverts: "reverts what has no fork",
  name: "ext4 on a device-mapper device, with provider-dmsnap",
  lay(t) {
    const disk = new MappedDisk(t);
    const volume = disk.volume("data", "ext4", SIZE);
    return {
      ...mountable(volume),
      plugins: [{ use: "provider-dmsnap", options: { store: disk.store("store", 600) } }],
      state: mapped,
    };
  },
};

function lvmVolume(
  t: TestContext,
  make: (vg: VolumeGroup) => { dm: string; mount: string },
  above?: typeof encryption,
): StorageVolume {
  const vg = new VolumeGroup(t);
  const volume = make(vg);
  const state = (): unknown => ({
    volumes: vg.lvm("lvs", ["-a", "--noheadings", "-o", "lv_name,lv_size,origin,lv_tags", vg.name]),
    devices: mapped(),
  });
  const { mount, unmount, remount } = mountable(volume);
  return {
    mount,
    unmount() {
      unmount();
      above?.close();
    },
    remount() {
      above?.open(vg);
      remount();
    },
    plugins: lvm,
    state,
  };
}

function mountable({ dm, mount }: { dm: string; mount: string }): Pick<StorageVolume, "mount" | "unmount" | "remount"> {
  return {
    mount,
    unmount: () => void run("umount", [mount]),
    remount: () => void run("mount", [`/dev/mapper/${dm}`, mount]),
  };
}
