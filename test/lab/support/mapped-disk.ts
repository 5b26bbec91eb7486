import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import { onEnd } from "../../support/process/on-end.js";
import { type FileSystem, freeDisk, mkfs, type MountedVolume, run } from "./volume-group.js";

const MiB = 2048;

/** Plain device-mapper devices on a disk of the guest that nobody uses; all is taken down when the test ends. */
export class MappedDisk {
  readonly node: string;
  #next = MiB;

  constructor(t: TestContext) {
    this.node = freeDisk();
    // Held from now on: another disk of the same test is another one.
    run("dmsetup", ["create", `held-${path.basename(this.node)}`, "--table", `0 8 linear ${this.node} 0`]);
    onEnd(t, () => {
      tearDown();
      run("dd", ["if=/dev/zero", `of=${this.node}`, "bs=1M", "count=1", "conv=fsync", "status=none"]);
      run("wipefs", ["-q", "-a", this.node]);
    });
  }

  /** A mapping of so many MiB with a mounted file system. XFS needs 300 at least (xfsprogs 5.19). */
  volume(
    name: string,
    fs: FileSystem,
    size = fs === "xfs" ? 320 : 64,
    table = (span: string) => `linear ${span}`,
  ): MountedVolume {
    const sectors = size * MiB;
    run("dmsetup", ["create", name, "--table", `0 ${sectors} ${table(`${this.node} ${this.#next}`)}`]);
    this.#next += sectors;
    return this.#furnish(name, fs);
  }

  /** A mapping of a whole other one, with a mounted file system. */
  volumeOn(name: string, fs: FileSystem, node: string): MountedVolume {
    const sectors = run("blockdev", ["--getsz", node]).trim();
    run("dmsetup", ["create", name, "--table", `0 ${sectors} linear ${node} 0`]);
    return this.#furnish(name, fs);
  }

  #furnish(name: string, fs: FileSystem): MountedVolume {
    // Of an earlier test there may be another file system, which mkfs.xfs refuses to overwrite.
    run("wipefs", ["-q", "-a", `/dev/mapper/${name}`]);
    const [command = "", ...args] = mkfs[fs];
    run(command, [...args, `/dev/mapper/${name}`]);
    const mount = path.join("/mnt", `${process.pid}`, name);
    mkdirSync(mount, { recursive: true });
    run("mount", [`/dev/mapper/${name}`, mount]);
    return { name, fs, mount, dm: name };
  }

  /** A mapping without a file system: a store, or a raw device. */
  store(name: string, size: number): string {
    run("dmsetup", ["create", name, "--table", `0 ${size * MiB} linear ${this.node} ${this.#next}`]);
    run("dd", ["if=/dev/zero", `of=/dev/mapper/${name}`, "bs=1M", "count=2", "conv=fsync", "status=none"]);
    this.#next += size * MiB;
    return `/dev/mapper/${name}`;
  }
}

/** Nothing of device-mapper, and no loop device, is left in the guest. */
function tearDown(): void {
  for (const name of mapped()) run("dmsetup", ["resume", name]);
  const mounts = readFileSync("/proc/self/mounts", "utf8").split("\n");
  const ours = mounts.map((line) => line.split(" ")).filter(([source = ""]) => source.startsWith("/dev/mapper/"));
  for (const [, point = ""] of ours.toReversed()) run("umount", [point]);
  for (let tries = 10; tries > 0 && mapped().length > 0; tries -= 1) run("dmsetup", ["remove_all"]);
  run("losetup", ["--detach-all"]);
}

/** Names of all device-mapper devices. */
export function mapped(): string[] {
  const lines = run("dmsetup", ["info", "-c", "--noheadings", "-o", "name"]).trim().split("\n");
  return lines.filter((name) => name !== "" && name !== "No devices found").toSorted();
}

/** All devices, with both of their tables and whether they are suspended. */
export function state(): string[][] {
  return mapped().map((name) => [
    name,
    run("dmsetup", ["table", name]),
    run("dmsetup", ["table", "--inactive", name]),
    run("dmsetup", ["info", "-c", "--noheadings", "-o", "suspended", name]),
  ]);
}
