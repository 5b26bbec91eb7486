import { readFileSync } from "node:fs";
import path from "node:path";
import type { Context, Volume } from "holdstill/plugin";
import { findByName, findByUuid, type MappedDevice, mappedDevices, SECTOR } from "#kit/mapped-devices.js";
import { mountsOf } from "#kit/mounts.js";
import { bytesOf } from "./devices.js";
import type { Entry, Store } from "./entry.js";
import { unexpose } from "./exposure.js";
import { Mapper } from "./mapper.js";
import { identityOf, type Kind, layerOf, sliceOf, snapshotOf } from "./names.js";
import type { Options } from "./options.js";
import { readBootId } from "./reassembly.js";
import type { Registry } from "./registry.js";

/**
 * Snapshots that the kernel has and the registry does not: the state directory was lost, or another one has their entries. What an
 * entry needs is read from the kernel. Without a record, the whole file system or device is meant.
 */
export async function unregistered(registry: Registry, ctx: Context): Promise<Entry[]> {
  const known = new Set(registry.ids());
  const mapper = new Mapper(ctx);
  const entries: Entry[] = [];
  for (const device of mappedDevices()) {
    const identity = identityOf(device.uuid);
    const entry =
      identity === undefined || known.has(identity.id) ? undefined : await entryOf(identity, device, mapper);
    if (entry !== undefined) entries.push(entry);
  }
  return entries;
}

/**
 * Gives the set's snapshots their entries back, so that they can be exposed and removed as any others. A view that was open is ended: no
 * record has it.
 */
export async function register(setId: string, registry: Registry, ctx: Context<Options>): Promise<void> {
  const ofSet = (await unregistered(registry, ctx)).filter((entry) => entry.setId === setId);
  for (const entry of ofSet) await unexpose(registry.write(entry), registry, ctx);
}

/** undefined: the origin is gone, or its file system is not mounted as a whole. */
export function volumeOf(entry: Entry): Volume | undefined {
  const { origin, volumeId: id } = entry;
  const device = findByName(origin.name);
  if (device === undefined) return undefined;
  const { node, number, name, uuid, sectors } = device;
  const top = {
    name: path.basename(node),
    number,
    kind: "dm" as const,
    label: name,
    uuid,
    sizeBytes: sectors * SECTOR,
    lower: [],
  };
  const source = nodeOf(name);
  if (entry.kind === "block") return { kind: "block", id, devices: [top], paths: [source] };
  const mount = wholeMountOf(device);
  if (mount === undefined) return undefined;
  return {
    id,
    mountPoint: mount.point,
    fsType: entry.fsType,
    source,
    root: "/",
    devices: [top],
    paths: [mount.point],
    exclude: [],
  };
}

/** undefined: the kernel has no table of a snapshot for it, so it was never taken. */
async function entryOf(
  { id, kind }: { readonly id: string; readonly kind: Kind },
  { name, sectors }: MappedDevice,
  mapper: Mapper,
): Promise<Entry | undefined> {
  const [target] = await mapper.table(name);
  const [below = "", cow = "", exceptions = ""] = target?.params.split(" ") ?? [];
  if (target?.type !== "snapshot") return undefined;
  const originName = name.slice(0, -`-holdstill-${id}`.length);
  const origin = findByName(originName);
  const of = identityOf(mappedDevices().find(({ number }) => number === below)?.uuid ?? "")?.id;
  const setId = id.slice(0, id.lastIndexOf("."));
  const named = { id, kind, origin: { name: originName, uuid: origin?.uuid ?? "", sectors } };
  const shown = await shownOf(named, mapper);
  const entry = {
    version: 1,
    id,
    origin: named.origin,
    setId,
    ...(of === undefined ? {} : { of }),
    volumeId: origin?.number ?? "",
    store: await storeOf(cow, snapshotOf(named), mapper),
    exceptions: exceptions.startsWith("P") ? "persistent" : "transient",
    createdAt: timeOf(setId),
    bootId: readBootId(),
    generation: null,
    ...(shown === undefined ? {} : { shown }),
  } as const;
  if (kind === "block") return { ...entry, kind, paths: [nodeOf(originName)], state: "sealed" };
  const mount = origin === undefined ? undefined : wholeMountOf(origin);
  // How it is mounted is known while its origin is.
  if (mount === undefined) return { ...entry, fsType: "", paths: [], inner: [], state: "planned" };
  return { ...entry, fsType: mount.fsType, paths: [mount.point], inner: ["/"], state: "sealed" };
}

/** A view that was open when the registry was lost. */
async function shownOf(named: Pick<Entry, "id" | "origin">, mapper: Mapper): Promise<Entry["shown"]> {
  const label = layerOf(named);
  const device = findByUuid(label.uuid);
  if (device === undefined) return undefined;
  const [target] = await mapper.table(label.name);
  // Of a raw device, read-only.
  if (target?.type === "linear") return { view: { access: "read-only", at: "" }, layer: null };
  const [, cow = ""] = target?.params.split(" ") ?? [];
  const at = mountsOf([device.number])[0]?.point ?? "";
  return { view: { access: "scratch", at }, layer: await storeOf(cow, label, mapper) };
}

/** By the number of its block device: a loop device of a file, which may have been deleted, or a slice. */
async function storeOf(number: string, of: { name: string; uuid: string }, mapper: Mapper): Promise<Store> {
  const bytes = bytesOf(number);
  const slice = findByUuid(sliceOf(of).uuid);
  if (slice?.number !== number) {
    const file = readFileSync(`/sys/dev/block/${number}/loop/backing_file`, "utf8").trim();
    return { kind: file.startsWith("/dev/shm/") ? "memory" : "folder", file, bytes };
  }
  const [, device = "", from = ""] = /^(\S+) (\d+)$/.exec((await mapper.table(slice.name))[0]?.params ?? "") ?? [];
  const kernelName = /^DEVNAME=(.*)$/m.exec(readFileSync(`/sys/dev/block/${device}/uevent`, "utf8"))?.[1] ?? "";
  return { kind: "device", device: `/dev/${kernelName}`, from: Number(from) * SECTOR, bytes };
}

const nodeOf = (name: string): string => `/dev/mapper/${name}`;

const wholeMountOf = ({ number }: MappedDevice): ReturnType<typeof mountsOf>[number] | undefined =>
  mountsOf([number]).findLast(({ root }) => root === "/");

/** A set's id begins with its time, in UTC. */
function timeOf(setId: string): string {
  const [, year, month, day, hours, minutes, seconds] = /^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)-/.exec(setId) ?? [];
  const time = new Date(`${year}-${month}-${day}T${hours}:${minutes}:${seconds}Z`);
  return (Number.isNaN(time.valueOf()) ? new Date(0) : time).toISOString();
}
