import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import { holdersOf } from "./mount-holders.js";
import { onEnd } from "../process/on-end.js";
import { thaw } from "./freezable.js";
import { scratch } from "./scratch.js";

/**
 * How loop devices work with their files. buffered: by the page cache, so that a flush of one writes out what all of them wrote.
 * direct: as a device of its own would, for what is to be measured.
 */
type LoopIo = "buffered" | "direct";

/**
 * An ext4 file system in a file on an XFS that shares extents: frozen and cloned it gives a snapshot of one instant, as a thin
 * volume does, on a machine without device-mapper. All of it is taken down when the test ends.
 */
export class ImageVolume {
  /** Where the file system is mounted. */
  readonly mount: string;
  readonly #t: TestContext;
  readonly #io: LoopIo;
  readonly #store: string;
  readonly #root: string;
  #pictures = 0;

  /** Sizes in MiB; files are sparse. */
  constructor(t: TestContext, size = 640, storeSize = 4096, io: LoopIo = "buffered") {
    this.#t = t;
    this.#io = io;
    const folder = scratch("vol");
    onEnd(t, folder.remove);
    this.#root = folder.path;
    this.#store = this.#mountImage(
      "store",
      storeSize,
      ["mkfs.xfs", "-q", "-s", "size=4096", "-m", "reflink=1"],
      folder.path,
    );
    this.mount = this.#mountImage("data", size, ["mkfs.ext4", "-q", "-F"], this.#store);
    onEnd(t, () => void thaw(this.mount));
  }

  /** The file that the file system is in. */
  get image(): string {
    return path.join(this.#store, "data");
  }

  /** A folder beside it, for a provider's snapshots. */
  get store(): string {
    return path.join(this.#store, "snapshots");
  }

  /** Freezes the file system, clones it, and thaws it: what a provider with an atomic cut does. Answers the clone's name. */
  cut(): string {
    this.#pictures += 1;
    const clone = path.join(this.#store, `snapshot-${this.#pictures}`);
    run("fsfreeze", ["-f", this.mount]);
    try {
      run("cp", ["--reflink=always", this.image, clone]);
    } finally {
      run("fsfreeze", ["-u", this.mount]);
    }
    return clone;
  }

  /** A second, writable snapshot of the same instant. */
  fork(clone: string): string {
    this.#pictures += 1;
    const fork = path.join(this.#store, `snapshot-${this.#pictures}`);
    run("cp", ["--reflink=always", clone, fork]);
    return fork;
  }

  /** Mounts a snapshot, writable, and answers where. Its folder lets nobody but root in, as the host's folders may. */
  expose(clone: string): string {
    const point = path.join(this.#root, `exposed-${path.basename(clone)}`, "fs");
    mkdirSync(point, { recursive: true });
    chmodSync(path.dirname(point), 0o700);
    this.#mount(clone, point);
    onEnd(this.#t, () => unmount(point));
    return point;
  }

  /** Unmounts a snapshot before the test ends, and removes it. */
  discard(clone: string): void {
    unmount(path.join(this.#root, `exposed-${path.basename(clone)}`, "fs"));
    rmSync(clone);
  }

  #mountImage(name: string, size: number, [mkfs = "", ...args]: readonly string[], folder: string): string {
    const image = path.join(folder, name);
    run("truncate", ["-s", `${size}M`, image]);
    run(mkfs, [...args, image]);
    const point = path.join(this.#root, `${name}-fs`);
    mkdirSync(point);
    this.#mount(image, point);
    onEnd(this.#t, () => unmount(point));
    return point;
  }

  #mount(image: string, point: string): void {
    if (this.#io === "buffered") return run("mount", ["-o", "loop", image, point]);
    // XFS does direct I/O of files that share extents by whole blocks only.
    const args = ["--find", "--show", "--direct-io=on", "--sector-size", "4096", image];
    const device = execFileSync("losetup", args, { encoding: "utf8" }).trim();
    try {
      run("mount", [device, point]);
    } finally {
      // It goes with the mount.
      run("losetup", ["--detach", device]);
    }
  }
}

/** Patient: a server that was killed may still have a file open, and a loop device goes a moment after its mount. 15 s. */
function unmount(point: string): void {
  for (let tries = 150; ; tries -= 1) {
    try {
      if (!isMountPoint(point)) return;
      run("umount", [point]);
      return;
    } catch (error) {
      if (tries === 0) throw new Error([String(error), ...holdersOf(point)].join("; "), { cause: error });
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    }
  }
}

function isMountPoint(point: string): boolean {
  try {
    run("mountpoint", ["-q", point]);
    return true;
  } catch {
    return false;
  }
}

function run(command: string, args: readonly string[]): void {
  execFileSync(command, args, { stdio: ["ignore", "pipe", "pipe"] });
}
