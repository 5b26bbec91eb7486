import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  realpathSync,
  rmSync,
  statfsSync,
  statSync,
  truncateSync,
  writeSync,
} from "node:fs";
import path from "node:path";
import type { Context } from "holdstill/plugin";
import { awayReason, mountPointOf } from "#kit/away.js";
import { findByUuid, mappedDevices } from "#kit/mapped-devices.js";
import { bytesOf, devicesBelow, formatNumber, numberOf } from "./devices.js";
import type { Entry, Store } from "./entry.js";
import { attach, detach } from "./loop.js";
import { Mapper, whole } from "./mapper.js";
import { isOurs, type Label, sliceOf } from "./names.js";
import type { Options } from "./options.js";
import { PluginError } from "./errors.js";
import type { Registry } from "./registry.js";
import { assertSpace } from "./size.js";
import { claim, LABEL_SPACE } from "./store-device.js";

/** Where all stores of an instance are. */
export interface Place {
  readonly kind: Store["kind"];
  /** Absolute. */
  readonly path: string;
}

const SECTOR = 512;
/** Lies in memory (tmpfs) on every Linux: file-hierarchy(7). */
const MEMORY = "/dev/shm/holdstill-dmsnap";
/** Left free in a folder whatever is captured, bytes. */
const RESERVE = 16 * 1024 ** 2;
/** statfs(2), linux/magic.h */
const TMPFS = 0x01021994;
/** Cleared of a store before its use, bytes: to the kernel, zeros are a new store, and anything else an error. */
const HEADER = 64 * 1024;

export function placeOf(options: Options, dataDir: string): Place {
  const { store = path.join(dataDir, "cow") } = options;
  if (store === "memory") return { kind: "memory", path: MEMORY };
  const isDevice = statSync(store, { throwIfNoEntry: false })?.isBlockDevice() === true;
  return { kind: isDevice ? "device" : "folder", path: store };
}

/** Chooses the places of stores of these sizes. Throws unless all fit. Nothing is made yet. */
export async function allot(
  place: Place,
  wanted: readonly { id: string; bytes: number }[],
  registry: Registry,
  ctx: Context<Options>,
): Promise<Store[]> {
  const sum = wanted.reduce((total, { bytes }) => total + bytes, 0);
  const { kind } = place;
  if (kind !== "device") {
    mkdirSync(place.path, { recursive: true, mode: 0o700 });
    const { bavail, bsize } = statfsSync(place.path);
    assertSpace(sum, Math.max(0, bavail * bsize - RESERVE), place.path);
    const mount = mountPointOf(realpathSync(place.path));
    return wanted.map(({ id, bytes }) => ({ kind, file: path.join(place.path, `${id}.cow`), mount, bytes }));
  }
  await claim(place.path, ctx);
  const taken = storesOf(registry.all()).flatMap((store) => (store.kind === "device" ? [store] : []));
  const total = bytesOf(numberOf(place.path) ?? "");
  const free = total - LABEL_SPACE - taken.reduce((bytes, store) => bytes + store.bytes, 0);
  const slices: Extract<Store, { kind: "device" }>[] = [];
  for (const { bytes } of wanted) {
    const from = firstGap([...taken, ...slices], bytes);
    if (from + bytes > total) assertSpace(sum, Math.min(free, sum - 1), place.path);
    slices.push({ kind: "device", device: place.path, from, bytes });
  }
  return slices;
}

/** What is free there for stores, for the plan. What is free on a device is only known when it is claimed. */
export function freeIn({ kind, path: folder }: Place): { freeBytes?: number } {
  if (kind === "device") return {};
  const { bavail, bsize } = statfsSync(nearestExisting(folder));
  return { freeBytes: Math.max(0, bavail * bsize - RESERVE) };
}

function nearestExisting(folder: string): string {
  return existsSync(folder) ? folder : nearestExisting(path.dirname(folder));
}

/** Makes the store's block device, or finds it, and returns its number. `of` is the snapshot that it is for. */
export async function assemble(store: Store, of: Label, ctx: Context): Promise<string> {
  if (store.kind !== "device") return attach(store.file, ctx);
  const slice = sliceOf(of);
  const number = numberOf(store.device);
  if (number === undefined) throw missing(store.device);
  const table = whole(store.bytes / SECTOR, "linear", `${number} ${store.from / SECTOR}`);
  await new Mapper(ctx).create(slice, table);
  return findByUuid(slice.uuid)?.number ?? "";
}

/** Makes the store, empty, and returns the number of its block device. Its entry is already in the registry. */
export async function make(store: Store, of: Label, registry: Registry, ctx: Context): Promise<string> {
  assertAlone(store, registry);
  // A new file has nothing but zeros.
  if (store.kind !== "device") await reserve(store, ctx);
  const number = await assemble(store, of, ctx);
  if (store.kind === "device") clear(findByUuid(sliceOf(of).uuid)?.node ?? "");
  return number;
}

/**
 * Two transactions may have chosen the same slice at the same moment. Each records its choice before it checks those of the others
 * here, so at least one of the two sees the conflict.
 */
function assertAlone(store: Store, registry: Registry): void {
  if (store.kind !== "device") return;
  const end = store.from + store.bytes;
  const there = storesOf(registry.all()).filter(
    (other) => other.kind === "device" && other.from < end && store.from < other.from + other.bytes,
  );
  if (there.length === 1) return;
  const message = `Another transaction took the same space on ${store.device} at the same moment.`;
  throw new PluginError("BUSY", message, "Try again.");
}

/** Why it is not known whether the store exists; null: it is there, or is gone. What is in memory is gone with it. */
export function awayReasonOf(store: Store): string | null {
  switch (store.kind) {
    case "device":
      return numberOf(store.device) === undefined ? `The block device ${store.device} is not there.` : null;
    case "folder":
      if (existsSync(store.file)) return null;
      return awayReason(realOf(path.dirname(store.file)), store.mount);
    case "memory":
      return null;
  }
}

const realOf = (folder: string): string => (existsSync(folder) ? realpathSync(folder) : folder);

/** Removes the store and its data. Idempotent. */
export async function drop(store: Store, of: Label, ctx: Context): Promise<void> {
  if (store.kind === "device") return new Mapper(ctx).remove(sliceOf(of));
  await detach(store.file, ctx);
  rmSync(store.file, { force: true });
}

function clear(node: string): void {
  const fd = openSync(node, "r+");
  try {
    writeSync(fd, Buffer.alloc(HEADER));
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** On disk, all of it is allocated now, so that it cannot run out of space later; in memory, as it is written. */
async function reserve({ kind, file, bytes }: Extract<Store, { file: string }>, ctx: Context): Promise<void> {
  closeSync(openSync(file, "w", 0o600));
  if (kind === "memory") return truncateSync(file, bytes);
  const { exitCode, stderr } = await ctx.exec("fallocate", ["--length", String(bytes), "--", file]);
  if (exitCode === 0) return;
  const message = `A file of ${bytes} bytes cannot be made in ${path.dirname(file)}: ${stderr.trim()}.`;
  throw new PluginError("STORE", message, "Give another `store`.");
}

/**
 * A write to the origin waits for a write to the store. If the store is on an origin, both wait forever.
 */
export function assertApart(place: Place, origins: readonly string[], entries: readonly Entry[]): void {
  const mapped = mappedDevices();
  const labels = (kernel: string): { name: string; uuid: string }[] =>
    mapped.filter(({ node }) => node === `/dev/${kernel}`);
  for (const { name, uuid } of devicesOf(place.path).flatMap(labels)) {
    if (!origins.includes(name) && !isOurs(uuid)) continue;
    const message = `The store ${place.path} is on ${name}, which is captured: writes to it would wait for themselves.`;
    throw new PluginError("STORE", message, "Give a `store` on another device.");
  }
  for (const store of storesOf(entries)) {
    const carrier = store.kind === "device" ? store.device : path.dirname(store.file);
    const own = devicesOf(carrier).flatMap(labels);
    const origin = own.find(({ name }) => origins.includes(name));
    if (origin === undefined) continue;
    const message = `${origin.name} carries the store ${carrier} of another snapshot.`;
    throw new PluginError("STORE", message, "Remove that snapshot first, or move the store.");
  }
}

function devicesOf(place: string): string[] {
  const stat = statSync(place, { throwIfNoEntry: false });
  if (stat === undefined) return place === "/" ? [] : devicesOf(path.dirname(place));
  const below = devicesBelow(formatNumber(stat.isBlockDevice() ? stat.rdev : stat.dev));
  if (below.length > 0 || statfsSync(place).type === TMPFS) return below;
  const message = `It is unknown which block devices the folder ${place} is on.`;
  throw new PluginError("STORE", message, "Give a `store` on ext4 or XFS, or a block device.");
}

function storesOf(entries: readonly Entry[]): Store[] {
  return entries.flatMap(({ store, shown }) => [store, ...(shown?.layer ? [shown.layer] : [])]);
}

function firstGap(taken: readonly { from: number; bytes: number }[], bytes: number): number {
  let from = LABEL_SPACE;
  for (const other of taken.toSorted((a, b) => a.from - b.from)) {
    if (from + bytes <= other.from) return from;
    from = Math.max(from, other.from + other.bytes);
  }
  return from;
}

function missing(device: string): PluginError {
  return new PluginError("STORE", `The store ${device} does not exist.`, "Attach the device, and try again.");
}
