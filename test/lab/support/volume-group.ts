import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import { onEnd } from "../../support/process/on-end.js";

export type FileSystem = "ext4" | "xfs" | "f2fs";

export const mkfs = {
  // Not by the kernel later, at a time of its own: it would fill snapshots. Without a discard, which takes most of the time.
  ext4: ["mkfs.ext4", "-q", "-F", "-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0"],
  xfs: ["mkfs.xfs", "-q", "-K", "-m", "reflink=1"],
  f2fs: ["mkfs.f2fs", "-q", "-f"],
} satisfies Record<FileSystem, string[]>;

/** How a snapshot is mounted beside its origin: XFS refuses a second file system of one UUID otherwise (xfs(5)). */
const besideOrigin = { ext4: "defaults", xfs: "nouuid", f2fs: "defaults" } satisfies Record<FileSystem, string>;

/** A logical volume with a mounted file system. */
export interface MountedVolume {
  readonly name: string;
  readonly fs: FileSystem;
  readonly mount: string;
  /** Its device-mapper name: "vg0-data". */
  readonly dm: string;
}

let made = 0;

/** A volume group of the test's own on a disk of the guest that nobody uses; all of it is taken down when the test ends. */
export class VolumeGroup {
  readonly name: string;
  readonly #t: TestContext;

  constructor(t: TestContext, disk = freeDisk(), name = `vg${process.pid}x${made}`) {
    this.#t = t;
    made += 1;
    this.name = name;
    run("vgcreate", ["-q", "-y", this.name, disk]);
    // Not vgremove: LVM refuses to take down what a failed command of its own has left behind.
    onEnd(t, () => {
      run("dmsetup", ["remove_all"]);
      run("wipefs", ["-q", "-a", disk]);
    });
  }

  /** A thick volume of so many MiB. */
  thick(name: string, fs: FileSystem, size = 160): MountedVolume {
    this.lvm("lvcreate", ["-y", "-Wn", "-L", `${size}M`, "-n", name, this.name]);
    return this.#furnish(name, fs);
  }

  /** A thin pool of so many MiB. */
  pool(name: string, size = 600): void {
    this.lvm("lvcreate", ["-y", "-L", `${size}M`, "--thinpool", name, this.name]);
  }

  /** A thin volume in a pool. 320 MiB: XFS needs 300 at least (xfsprogs 5.19). */
  thin(pool: string, name: string, fs: FileSystem, size = 320): MountedVolume {
    this.lvm("lvcreate", ["-y", "-V", `${size}M`, "-T", `${this.name}/${pool}`, "-n", name]);
    return this.#furnish(name, fs);
  }

  /** A thick volume without a file system, such as the disk of a virtual machine; its node. */
  rawThick(name: string, size = 8): string {
    this.lvm("lvcreate", ["-y", "-Wn", "-L", `${size}M`, "-n", name, this.name]);
    return `/dev/mapper/${this.dm(name)}`;
  }

  /** The same in a thin pool. */
  rawThin(pool: string, name: string, size = 8): string {
    this.lvm("lvcreate", ["-y", "-V", `${size}M`, "-T", `${this.name}/${pool}`, "-n", name]);
    return `/dev/mapper/${this.dm(name)}`;
  }

  /** Mounts a snapshot beside its origin, writable, so that its journal is replayed. */
  mountSnapshot(name: string, fs: FileSystem): string {
    return this.#mount(name, ["-o", besideOrigin[fs]]);
  }

  /** A program of LVM's; its output. */
  lvm(command: string, args: readonly string[]): string {
    return run(command, ["-q", ...args]);
  }

  /** The device-mapper name of a volume, or of a layer below it, as "tpool" of a thin pool. */
  dm(name: string, layer?: string): string {
    return [this.name, name.replaceAll("-", "--"), ...(layer === undefined ? [] : [layer])].join("-");
  }

  #furnish(name: string, fs: FileSystem): MountedVolume {
    const [command = "", ...args] = mkfs[fs];
    run(command, [...args, `/dev/${this.name}/${name}`]);
    return { name, fs, mount: this.#mount(name), dm: this.dm(name) };
  }

  #mount(name: string, options: readonly string[] = []): string {
    const point = path.join("/mnt", this.name, name);
    mkdirSync(point, { recursive: true });
    run("mount", [...options, `/dev/${this.name}/${name}`, point]);
    onEnd(this.#t, () => {
      run("dmsetup", ["resume", this.dm(name)]);
      run("umount", [point]);
    });
    return point;
  }
}

/** Runs a program of the guest, and answers what it wrote; its complaints are in the error. */
export function run(command: string, args: readonly string[]): string {
  return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** A disk of the guest that nobody uses. */
export function freeDisk(): string {
  const disk = readdirSync("/sys/block")
    .filter((name) => name.startsWith("ubd"))
    .find((name) => readdirSync(`/sys/block/${name}/holders`).length === 0 && !hasSignature(`/dev/${name}`));
  if (disk === undefined || !existsSync(`/dev/${disk}`)) throw new Error("all disks of the guest are in use");
  return `/dev/${disk}`;
}

function hasSignature(device: string): boolean {
  return run("wipefs", ["--noheadings", device]) !== "";
}
