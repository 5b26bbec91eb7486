import { existsSync } from "node:fs";
import path from "node:path";
import type { Context, Provider, Snapshot, Transaction, Volume } from "holdstill/plugin";
import { isWithin } from "#kit/paths.js";
import { clone } from "./clone.js";
import { copyTrees } from "./copy.js";
import { closeFolder, flush, openForOthers, makeFolder } from "./folder.js";
import { mountAt, unmountAll } from "./mounts.js";
import { choosePlace, resolve, type Options, type Place } from "./place.js";
import { isRoot } from "./probe.js";
import { PluginError } from "./errors.js";
import { folderOf, Registry, toSnapshot, type Entry } from "./registry.js";
import { removeEntry, removeUnreadable } from "./removal.js";
import { select } from "./selection.js";
import { assertSpace } from "./space.js";
import { survey, type Survey } from "./survey.js";

/** Errors that are reported together. */
const SHOWN = 10;

/** Has no state in memory: each call reads the registry, so a new worker can continue after a crash. */
const provider: Provider<Options> = {
  async match(volume, ctx) {
    const { store, method, reason } = await choosePlace(volume, ctx);
    return {
      pointInTime: false,
      atomicGroup: false,
      writable: true,
      revert: false,
      method: reason === undefined ? method : `${method} (${reason})`,
      where: store,
    };
  },

  async prepare(tx, volumes, ctx) {
    const registry = new Registry(ctx);
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
    const registry = new Registry(ctx);
    const entries = registry.ofSet(tx.id);
    for (const [done, entry] of entries.entries()) {
      ctx.progress(`${entry.method} of ${entry.paths.join(", ")}`, done, entries.length);
      const createdAt = new Date().toISOString();
      const copied = await copyTrees({ ...entry, folder: folderOf(entry) }, ctx);
      registry.write({ ...entry, createdAt, facts: { ...entry.facts, ...copied, until: new Date().toISOString() } });
    }
  },

  async seal(tx, ctx) {
    const registry = new Registry(ctx);
    const sealed: Entry[] = [];
    for (const entry of registry.ofSet(tx.id)) {
      const folder = folderOf(entry);
      await flush(folder, ctx);
      const { files, bytes } = await survey([folder], [], ctx);
      // Of a clone the allocated bytes are the original's too; its own share is not known.
      const own = entry.method === "copy" ? { bytes } : {};
      const facts = { ...entry.facts, files, allocatedBytes: bytes };
      sealed.push(registry.write({ ...entry, ...own, facts, state: "sealed" }));
    }
    return sealed.map(toSnapshot);
  },

  async abort(tx, ctx) {
    const registry = new Registry(ctx);
    const results = [];
    for (const id of registry.idsOf(tx.id))
      results.push(...(await Promise.allSettled([removeById(id, [], registry, ctx)])));
    const failures = results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
    if (failures.length > 0) throw failures[0];
  },

  list(ctx) {
    const entries = new Registry(ctx).all().filter((entry) => entry.copy?.as !== "scratch");
    return Promise.resolve(entries.filter((entry) => existsSync(folderOf(entry))).map(toSnapshot));
  },

  async expose(snapshot, view, ctx) {
    const registry = new Registry(ctx);
    const entry = whole(snapshot, registry);
    const shown = view.access === "scratch" ? await scratchOf(entry, registry, ctx) : entry;
    const folder = folderOf(shown);
    // An ordinary user cannot mount, and gets the trees themselves.
    if (isRoot()) await mountAt(folder, view, ctx);
    openForOthers(folder);
    const base = isRoot() ? view.at : folder;
    return {
      trees: entry.paths.map((original) => ({ original, path: path.join(base, original) })),
      readOnly: isRoot() && view.access === "read-only",
    };
  },

  async unexpose(snapshot, ctx) {
    const registry = new Registry(ctx);
    const entry = registry.find(snapshot.id);
    for (const scratch of registry.scratchesOf(snapshot.id)) await removeEntry(scratch, registry, ctx);
    if (entry === undefined) return;
    const stores = entry === "unreadable" ? storesOf(snapshot) : [entry.store];
    for (const folder of stores.map((store) => folderOf({ id: snapshot.id, store }))) {
      await unmountAll(folder, ctx);
      closeFolder(folder);
    }
  },

  async fork(snapshot, ctx) {
    const registry = new Registry(ctx);
    return toSnapshot(await clone(whole(snapshot, registry), "fork", registry, ctx));
  },

  async remove(snapshot, ctx) {
    const registry = new Registry(ctx);
    for (const scratch of registry.scratchesOf(snapshot.id)) await removeEntry(scratch, registry, ctx);
    await removeById(snapshot.id, storesOf(snapshot), registry, ctx);
  },
};
export default provider;

/** The entry of a snapshot that was sealed and is there. */
function whole({ id }: Snapshot, registry: Registry): Entry {
  const entry = registry.find(id);
  if (entry === "unreadable") throw registry.unreadable(id);
  if (entry?.state === "sealed" && existsSync(folderOf(entry))) return entry;
  throw new PluginError(
    "UNKNOWN_SNAPSHOT",
    `The snapshot ${id} does not exist, or is not complete.`,
    "If its store is a mount, mount it.",
  );
}

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
  volume: Volume;
  place: Place;
  exclude: string[];
  seen: Survey;
}

async function inspect(volume: Volume, registry: Registry, ctx: Context<Options>): Promise<Part> {
  const place = await choosePlace(volume, ctx);
  // Snapshots are never captured, wherever they are.
  const stores = [place.store, path.join(ctx.dataDir, "snapshots"), ...registry.all().map((entry) => entry.store)];
  const inside = stores.filter((store) => volume.paths.some((captured) => isWithin(store, captured)));
  const exclude = [...new Set([...volume.exclude, ...inside])];
  // Names that no argument can carry are refused now. Commit selects again what exists then.
  select(volume.paths, exclude);
  const seen = await survey(volume.paths, exclude, ctx);
  if (seen.problems.length > 0) throw unreadable(seen.problems);
  if (place.reason !== undefined) ctx.log.info(`copying, not cloning: ${place.reason}`, { volume: volume.id });
  for (const dir of seen.notCaptured)
    ctx.log.warn(`${dir} is another file system or subvolume: its contents are not captured`);
  return { volume, place, exclude, seen };
}

function plan(tx: Transaction, index: number, { volume, place, exclude, seen }: Part): Entry {
  const { sockets, foreign, notCaptured } = seen;
  return {
    version: 1,
    id: `${tx.id}.${index}`,
    setId: tx.id,
    volumeId: volume.id,
    paths: volume.paths,
    exclude,
    store: place.store,
    method: place.method,
    state: "planned",
    createdAt: new Date().toISOString(),
    facts: { sockets, foreign, notCaptured },
  };
}

function unreadable(problems: readonly string[]): PluginError {
  const more = problems.length > SHOWN ? `; and ${problems.length - SHOWN} more` : "";
  return new PluginError(
    "UNREADABLE",
    `Cannot be copied: ${problems.slice(0, SHOWN).join("; ")}${more}.`,
    "Run holdstill as a user who may read them, or leave them out.",
  );
}
