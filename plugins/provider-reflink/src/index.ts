import { existsSync } from "node:fs";
import path from "node:path";
import type { Context, FileSystemVolume, Provider, Snapshot, Transaction } from "holdstill/plugin";
import { mountPointOf } from "#kit/away.js";
import { clone } from "./clone.js";
import { type CopyFacts, copyTrees } from "./copy.js";
import { closeFolder, flush, makeFolder, openFolder, openForOthers } from "./folder.js";
import { mountsBelow } from "./mounts-below.js";
import { mountAt, unmountAll } from "./mounts.js";
import { choosePlace, resolve, type Options, type Place } from "./place.js";
import { isRoot } from "./probe.js";
import { PluginError } from "./errors.js";
import { FILES, filesOf, folderOf, type Registry, toSnapshot, type Entry } from "./registry.js";
import { assertReachable, awayReasonOf, recordedPlaceOf } from "./reachable.js";
import { receive } from "./receive.js";
import { removeEntry, removeUnreadable } from "./removal.js";
import { refuseNames, selectable } from "./selectable.js";
import { assertSpace, freeIn } from "./space.js";
import { leaveEntry, registryOf } from "./stored-entry.js";
import { survey, type Survey } from "./survey.js";

/** Errors that are reported together. */
const SHOWN = 10;
/** Folders that a warning names. */
const NAMED = 3;

/** Has no state in memory: each call reads the registry, so a new worker can continue after a crash. */
const provider: Provider<Options> = {
  async match(volume, ctx) {
    const place = await choosePlace(volume, ctx);
    refuseNames(volume, place, ctx);
    const { store, method, reason } = place;
    return {
      pointInTime: false,
      writable: true,
      revert: false,
      method: reason === undefined ? method : `${method} (${reason})`,
      where: store,
      space: { pool: store, freeBytes: freeIn(store), fork: method === "copy" ? "copies" : "shares" },
    };
  },

  async prepare(tx, volumes, ctx) {
    const registry = registryOf(ctx);
    const parts: Part[] = [];
    for (const volume of volumes) parts.push(await inspect(volume, registry, ctx));
    assertSpace(parts);
    for (const [index, part] of parts.entries()) {
      const planned = registry.write(plan(tx, index, part));
      makeFolder(planned);
      registry.write({ ...planned, state: "made" });
    }
    return { hold: [], commit: [{ op: "plugin" }] };
  },

  async commit(tx, ctx) {
    const registry = registryOf(ctx);
    const entries = registry.ofSet(tx.id);
    for (const [done, entry] of entries.entries()) {
      ctx.progress(`${entry.method} of ${entry.paths.join(", ")}`, done, entries.length);
      const createdAt = new Date().toISOString();
      using folder = openFolder(entry);
      using files = folder?.open(FILES);
      if (files === undefined) throw unknown(entry.id);
      const copied = await copyTrees(entry, files, ctx);
      warnOfLost(copied, ctx);
      registry.write({ ...entry, createdAt, facts: { ...entry.facts, ...copied, until: new Date().toISOString() } });
    }
  },

  async seal(tx, ctx) {
    const registry = registryOf(ctx);
    const sealed: Entry[] = [];
    for (const entry of registry.ofSet(tx.id)) {
      await flush(entry, ctx);
      const { files, bytes } = await survey([filesOf(entry)], { exclude: [], mounts: new Set() }, ctx);
      // Of a clone the allocated bytes are the original's too; its own share is not known.
      const own = entry.method === "copy" ? { bytes } : {};
      const facts = { ...entry.facts, files, allocatedBytes: bytes };
      sealed.push(leaveEntry(registry.write({ ...entry, ...own, facts, state: "sealed" })));
    }
    return sealed.map(toSnapshot);
  },

  async abort(tx, ctx) {
    const registry = registryOf(ctx);
    const results = [];
    for (const id of registry.idsOf(tx.id))
      results.push(...(await Promise.allSettled([removeById(id, [], registry, ctx)])));
    const failures = results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
    if (failures.length > 0) throw failures[0];
  },

  list(ctx) {
    const registry = registryOf(ctx);
    const stored = new Set(registry.stored());
    const entries = registry.all().filter(({ copy, state }) => copy?.as !== "scratch" && state !== "planned");
    const away = new Set(entries.flatMap((entry) => awayReasonOf(entry) ?? []));
    const snapshots = entries
      .filter((entry) => existsSync(folderOf(entry)))
      .map((entry) => {
        const { volume } = entry;
        // The record of its set may be lost as well.
        const known = stored.has(entry) && volume !== undefined ? { volume, pointInTime: false } : {};
        return { ...toSnapshot(entry), ...known };
      });
    return Promise.resolve(
      away.size === 0 ? snapshots : { snapshots, unseen: [...away].map((reason) => `${reason} ${registry.remedy}`) },
    );
  },

  async expose(snapshot, view, ctx) {
    const registry = registryOf(ctx);
    const entry = whole(snapshot, registry);
    const shown = view.access === "scratch" ? await scratchOf(entry, registry, ctx) : entry;
    // An ordinary user cannot mount, and gets the trees themselves. As root the store stays closed to those who could change them there.
    if (isRoot()) await mountAt(shown, view, ctx);
    else openForOthers(shown);
    const base = isRoot() ? view.at : filesOf(shown);
    return {
      trees: entry.paths.map((original) => ({ original, path: path.join(base, original) })),
      readOnly: isRoot() && view.access === "read-only",
    };
  },

  async unexpose(snapshot, ctx) {
    const registry = registryOf(ctx);
    const entry = registry.find(snapshot.id);
    for (const scratch of registry.scratchesOf(snapshot.id)) await removeEntry(scratch, registry, ctx);
    assertSeen(snapshot, entry, registry);
    if (entry === undefined) return;
    const stores = entry === "unreadable" ? storesOf(snapshot) : [entry.store];
    for (const located of stores.map((store) => ({ id: snapshot.id, store }))) {
      await unmountAll(located, ctx);
      closeFolder(located);
    }
  },

  async fork(snapshot, ctx) {
    const registry = registryOf(ctx);
    return toSnapshot(await clone(whole(snapshot, registry), "fork", registry, ctx));
  },

  receive,

  async remove(snapshot, ctx) {
    const registry = registryOf(ctx);
    for (const scratch of registry.scratchesOf(snapshot.id)) await removeEntry(scratch, registry, ctx);
    assertSeen(snapshot, registry.find(snapshot.id), registry);
    await removeById(snapshot.id, storesOf(snapshot), registry, ctx);
  },
};
export default provider;

/** The entry of a snapshot that was sealed and is there. @throws PluginError UNKNOWN_SNAPSHOT, UNREACHABLE */
function whole(snapshot: Snapshot, registry: Registry): Entry {
  const { id } = snapshot;
  const entry = registry.find(id);
  if (entry === "unreadable") throw registry.unreadable(id);
  if (entry?.state === "sealed" && existsSync(folderOf(entry))) return entry;
  assertSeen(snapshot, entry, registry);
  throw unknown(id);
}

const unknown = (id: string): PluginError =>
  new PluginError(
    "UNKNOWN_SNAPSHOT",
    `The snapshot ${id} does not exist, or is not complete.`,
    "`holdstill list` has all snapshots.",
  );

/** The snapshot's throw-away copy: the one that is there, if it was finished. */
async function scratchOf(entry: Entry, registry: Registry, ctx: Context<Options>): Promise<Entry> {
  const [done] = registry.scratchesOf(entry.id).filter(({ state }) => state === "sealed");
  return done ?? clone(entry, "scratch", registry, ctx);
}

/** The store, as the host's record has it: for when the entry cannot be read. */
function storesOf({ facts }: Snapshot): string[] {
  const folder = facts?.["path"];
  return typeof folder === "string" ? [path.dirname(folder)] : [];
}

/** What is not seen may still exist. @throws PluginError UNREACHABLE */
function assertSeen(snapshot: Snapshot, entry: Entry | "unreadable" | undefined, registry: Registry): void {
  const kept = typeof entry === "object" ? entry : recordedPlaceOf(snapshot);
  if (kept !== null && !("state" in kept && kept.state === "planned")) assertReachable(kept, registry);
}

/** Removes a snapshot whose store may also be one of those given. */
async function removeById(id: string, stores: string[], registry: Registry, ctx: Context<Options>): Promise<void> {
  const entry = registry.find(id);
  if (entry === undefined) return;
  if (entry !== "unreadable") return removeEntry(entry, registry, ctx);
  const known = [path.join(ctx.dataDir, "snapshots"), ...(ctx.options.store === undefined ? [] : [ctx.options.store])];
  const all = [...stores, ...known.map(resolve), ...registry.all().map((other) => other.store)];
  return removeUnreadable(id, all, registry, ctx);
}

/** One volume of the transaction: what is there, and where it will go. */
interface Part {
  volume: FileSystemVolume;
  place: Place;
  exclude: string[];
  seen: Survey;
}

async function inspect(volume: FileSystemVolume, registry: Registry, ctx: Context<Options>): Promise<Part> {
  const place = await choosePlace(volume, ctx);
  const exclude = selectable(volume, place, registry, ctx);
  const seen = await survey(volume.paths, { exclude, mounts: mountsBelow(volume.paths) }, ctx);
  if (seen.problems.length > 0) throw unreadable(seen.problems);
  if (place.reason !== undefined) ctx.log.info(`copying, not cloning: ${place.reason}`, { volume: volume.id });
  warnOfMissing(seen.notCaptured, ctx);
  return { volume, place, exclude, seen };
}

function plan(tx: Transaction, index: number, { volume, place, exclude, seen }: Part): Entry {
  const { sockets, foreign, notCaptured } = seen;
  return {
    version: 1,
    id: `${tx.id}.${index}`,
    setId: tx.id,
    volumeId: volume.id,
    volume,
    mountPoint: volume.mountPoint,
    paths: volume.paths,
    exclude,
    store: place.store,
    mount: mountPointOf(place.store),
    method: place.method,
    state: "planned",
    createdAt: new Date().toISOString(),
    facts: { sockets, foreign, notCaptured },
  };
}

/** One line, however many there are: the record has all of them. */
function warnOfMissing(dirs: readonly string[], ctx: Context): void {
  if (dirs.length === 0) return;
  const more = dirs.length > NAMED ? ` and ${dirs.length - NAMED} more` : "";
  const are = dirs.length === 1 ? "is another file system or subvolume" : "are other file systems or subvolumes";
  ctx.log.warn(`${dirs.slice(0, NAMED).join(", ")}${more} ${are}: what is in it is not captured`);
}

function warnOfLost({ lostAttributes, projectIds, lostFlags }: CopyFacts, ctx: Context): void {
  if (lostFlags !== undefined) {
    const { count, first } = lostFlags;
    const more = count > NAMED ? ` and ${count - NAMED} more` : "";
    ctx.log.warn(`flags of chattr are not in the snapshot: ${first.slice(0, NAMED).join(", ")}${more}`);
  }
  if (projectIds !== undefined)
    ctx.log.warn("project ids are not in the snapshot: after a restore, assign them again (xfs_quota, chattr -p)");
  if (lostAttributes === undefined) return;
  const { count, names } = lostAttributes;
  ctx.log.warn(`the store did not take ${count} extended attributes: ${names.slice(0, SHOWN).join(", ")}`);
}

function unreadable(problems: readonly string[]): PluginError {
  const more = problems.length > SHOWN ? `; and ${problems.length - SHOWN} more` : "";
  return new PluginError(
    "UNREADABLE",
    `Cannot be copied: ${problems.slice(0, SHOWN).join("; ")}${more}.`,
    "Run holdstill as a user who may read them, or leave them out.",
  );
}
