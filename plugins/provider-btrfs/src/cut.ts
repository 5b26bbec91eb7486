import { lstatSync, statSync } from "node:fs";
import path from "node:path";
import type { CommitOp, Context, Transaction, FileSystemVolume } from "holdstill/plugin";
import { assertCaptured } from "#kit/mount-once.js";
import type { Mount } from "#kit/mounts.js";
import { isWithin } from "#kit/paths.js";
import { btrfs } from "./btrfs.js";
import { type Entry, type Part, partName } from "./entry.js";
import { PluginError } from "./errors.js";
import { innerOf } from "./file-system.js";
import { type Nested, selectNested } from "./nested.js";
import type { Options } from "./options.js";
import { Store } from "./store.js";
import { type Subvolume, subvolumeAt, subvolumesBelow } from "./subvolume.js";
import type { Top } from "./top.js";

type Exec = Pick<Context, "exec">;

/** The subvolumes in the captured paths of a volume. */
export function nestedIn(
  volume: FileSystemVolume,
  mount: Mount,
  all: readonly Subvolume[],
  { nested }: Options,
): Nested {
  const inner = volume.paths.map((captured) => innerOf(captured, volume, mount));
  const exclude = volume.exclude.map((entry) => innerOf(entry, volume, mount));
  return selectNested(all, { root: volume.root, inner, exclude, nested });
}

/** Writes down what will be captured of a volume, and makes the folder for it. @throws PluginError CHANGED */
export async function planEntry(
  tx: Transaction,
  volume: FileSystemVolume,
  mount: Mount,
  top: Top,
  ctx: Context<Options>,
): Promise<Entry> {
  const { root } = volume;
  const paths = volume.paths.map((original) => ({ original, inner: innerOf(original, volume, mount) }));
  for (const one of paths) assertSame(one.original, top.at(root, one.inner));
  const nested = nestedIn(volume, mount, await subvolumesBelow(top, root, ctx), ctx.options);
  const parts: Part[] = [];
  for (const inner of ["", ...nested.captured]) {
    const subvolume = await subvolumeAt(top, path.join(root, inner), ctx);
    if (subvolume === null) throw changed(`${path.join(root, inner)} on ${top.fs.source} is not a subvolume`);
    parts.push({ inner, from: subvolume.uuid });
  }
  const store = Store.make(top);
  return store.begin({
    id: store.nextId(tx.id),
    setId: tx.id,
    state: "planned",
    createdAt: new Date().toISOString(),
    volume,
    paths,
    origin: parts[0]?.from ?? "",
    parts,
    notCaptured: nested.leftOut.map((inner) => visiblePath(inner, volume, mount)),
  });
}

/** One chain for each subvolume: the kernel makes snapshots in different folders at the same time. */
export function commitOf(entry: Entry, store: Store): CommitOp[][] {
  const folder = store.top.at(store.pathOf(entry));
  return entry.parts.map(({ inner }, index) => [
    { op: "btrfs-snapshot", subvolume: store.top.at(entry.volume.root, inner), folder, name: partName(index) },
  ]);
}

/** The entry with the UUIDs of its snapshots, each proven. @throws PluginError CHANGED, TARGET_CHANGED */
export async function sealEntry(entry: Entry, store: Store, ctx: Exec): Promise<Entry> {
  const parts: Part[] = [];
  for (const [index, part] of entry.parts.entries()) parts.push(await proven(entry, part, index, store, ctx));
  const root = store.top.at(store.pathOf(entry, partName(0)));
  for (const { original, inner } of entry.paths) assertCaptured({ original, inner: path.join("/", inner) }, root);
  for (const { inner } of parts.slice(1)) assertPlace(entry, inner, store);
  return store.write({ ...entry, parts, state: "sealed", createdAt: new Date().toISOString() });
}

/** The part with the UUID of its snapshot, which must be one of what was planned. @throws PluginError CHANGED */
export async function proven(entry: Entry, part: Part, index: number, store: Store, ctx: Exec): Promise<Part> {
  const at = store.pathOf(entry, partName(index));
  const made = await subvolumeAt(store.top, at, ctx);
  if (made === null) throw changed(`the snapshot ${at} was not made`);
  if (made.parentUuid === part.from && made.access === "read-only") return { ...part, uuid: made.uuid };
  throw changed(`${at} is not a snapshot of ${path.join(entry.volume.root, part.inner)} as it was planned`);
}

/** Where a nested subvolume is mounted, or made anew: an empty folder in the snapshot of the one around it. */
function assertPlace(entry: Entry, inner: string, store: Store): void {
  const { parts } = entry;
  const around = parts.findLastIndex((other) => other.inner !== inner && isWithin(`/${inner}`, `/${other.inner}`));
  const relative = path.relative(parts[around]?.inner ?? "", inner);
  const place = store.top.at(store.pathOf(entry, partName(around)), relative);
  if (isFolder(place)) return;
  const message = `In the snapshot, the subvolume ${inner} does not have its place: it was moved after the plan.`;
  throw new PluginError("TARGET_CHANGED", message, "See who moved it, and take the set again.");
}

/** No link is followed on the way: the top is mounted so. */
function isFolder(file: string): boolean {
  try {
    return lstatSync(file).isDirectory();
  } catch {
    return false;
  }
}

/** What a snapshot writes is smaller if everything before it is on disk: this keeps the commit short. */
export const flush = async (top: Top, ctx: Exec): Promise<void> =>
  void (await btrfs(ctx, ["filesystem", "sync", top.path]));

/** A captured path, and the same path from the top of the file system, are one file. @throws PluginError CHANGED */
function assertSame(captured: string, fromTop: string): void {
  const [one, other] = [captured, fromTop].map((file) => statSync(file, { bigint: true, throwIfNoEntry: false }));
  if (one !== undefined && one.dev === other?.dev && one.ino === other.ino) return;
  throw changed(`${captured} is not where it was planned`);
}

/** A path from the root of the captured subvolume, as the volume's mount shows it. */
export const visiblePath = (inner: string, { root }: FileSystemVolume, mount: Mount): string =>
  path.join(mount.point, path.relative(mount.root, path.join(root, inner)));

const changed = (what: string): PluginError =>
  new PluginError("CHANGED", `${what.charAt(0).toUpperCase()}${what.slice(1)}.`, "Run the command again.");
