import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { files } from "./script.js";

export interface StoredVolume {
  readonly name: string;
  readonly volumeId: string;
}

export interface StoredSnapshot {
  readonly name: string;
  readonly snapshotId: string;
  readonly sourceVolumeId: string;
  readonly groupSnapshotId: string;
  readonly sizeBytes: number;
  /** ms since the epoch. */
  readonly cutAt: number;
  readonly readyAt: number;
}

export interface StoredGroup {
  readonly name: string;
  readonly groupSnapshotId: string;
}

interface State {
  next: number;
  volumes: StoredVolume[];
  snapshots: StoredSnapshot[];
  groups: StoredGroup[];
}

const run = promisify(execFile);

/** What the driver of the tests stores: images of file systems, in a folder. A snapshot is a copy of an image. */
export class Storage {
  readonly #folder: string;
  readonly state: State;

  constructor(folder: string) {
    this.#folder = folder;
    const file = path.join(folder, files.state);
    this.state = existsSync(file)
      ? (JSON.parse(readFileSync(file, "utf8")) as State)
      : { next: 1, volumes: [], snapshots: [], groups: [] };
    mkdirSync(path.join(folder, "images"), { recursive: true });
  }

  image(id: string): string {
    return path.join(this.#folder, "images", id);
  }

  newId(kind: "vol" | "snap" | "group"): string {
    const id = `${kind}-${this.state.next}`;
    this.state.next += 1;
    return id;
  }

  save(): void {
    writeFileSync(path.join(this.#folder, files.state), JSON.stringify(this.state, null, 1));
  }

  /** An empty image, or a copy of another one. */
  async make(id: string, sizeBytes: number, copyOf?: string): Promise<void> {
    const image = this.image(id);
    if (copyOf === undefined) {
      writeFileSync(image, "");
      truncateSync(image, sizeBytes);
    } else await run("cp", ["--sparse=always", "--reflink=auto", this.image(copyOf), image]);
  }

  sizeOf(id: string): number {
    return statSync(this.image(id)).size;
  }

  discard(id: string): void {
    rmSync(this.image(id), { force: true });
  }
}

/** Mounts an image; it gets a file system if it has none. */
export async function stage(image: string, point: string, fsType: string, flags: readonly string[]): Promise<void> {
  if (isMounted(point)) return;
  const blank = await run("blkid", [image]).then(
    () => false,
    () => true,
  );
  if (blank) await run(`mkfs.${fsType}`, ["-q", image]);
  await run("mount", ["-o", ["loop", ...flags].join(","), image, point]);
}

export async function bind(source: string, target: string): Promise<void> {
  if (isMounted(target)) return;
  mkdirSync(target, { recursive: true });
  await run("mount", ["--bind", source, target]);
}

/** A block device at a path, as kubelet's drivers make it: bound over a file. */
export async function bindDevice(image: string, target: string): Promise<void> {
  if (isMounted(target)) return;
  const { stdout } = await run("losetup", ["--find", "--show", image]);
  writeFileSync(target, "");
  await run("mount", ["--bind", stdout.trim(), target]);
}

/** Ends what is at a path, a mount or a device, and removes the path. */
export async function unbind(target: string): Promise<void> {
  if (isMounted(target)) await run("umount", [target]);
  rmSync(target, { recursive: true, force: true });
}

export async function detach(image: string): Promise<void> {
  for (const device of await devicesOf(image)) await run("losetup", ["--detach", device]);
}

export async function isUsed(image: string): Promise<boolean> {
  return (await devicesOf(image)).length > 0;
}

async function devicesOf(image: string): Promise<string[]> {
  const { stdout } = await run("losetup", ["--associated", image, "--noheadings", "--output", "NAME"]);
  return stdout.split("\n").flatMap((line) => (line === "" ? [] : [line.trim()]));
}

export async function unstage(point: string): Promise<void> {
  if (isMounted(point)) await run("umount", [point]);
}

export function isMounted(point: string): boolean {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .some((line) => line.split(" ")[4] === point);
}
