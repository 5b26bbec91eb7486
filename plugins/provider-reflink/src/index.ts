import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import type { Context, Provider, Snapshot, Transaction, Volume } from "holdstill/plugin";
import { copyTrees } from "./copy.js";
import { closeFolder, letPass } from "./folder.js";
import { choosePlace, resolve, type Options, type Place } from "./place.js";
import { Refusal } from "./refusal.js";
import { folderOf, Registry, toSnapshot, type Entry } from "./registry.js";
import { removeEntry, removeUnreadable } from "./removal.js";
import { isWithin, select } from "./selection.js";
import { assertSpace } from "./space.js";
import { survey, type Survey } from "./survey.js";

/** Faults that are reported together. */
const SHOWN = 10;

/** Keeps nothing in variables: each call reads the registry, and so a blank worker can go on after a crash. */
const provider: Provider<Options> = {
  async match(volume, ctx) {
    const { store, method, why } = await choosePlace(volume, ctx);
    return {
      pointInTime: false,
      atomicGroup: false,
      writable: true,
      revert: false,
      method: why === undefined ? method : `${method} (${why})`,
      where: store,
    };
  },

  async prepare(tx, volumes, ctx) {
    const registry = new Registry(ctx);
    const parts: Part[] = [];
    for (const volume of volumes) parts.push(await lookAt(volume, registry, ctx));
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
      // syncfs(2): one call for all files, where an fsync for each would take minutes.
      const { exitCode, stderr } = await ctx.exec("sync", ["-f", "--", folder]);
      if (exitCode !== 0) throw new Refusal("STORE", `sync failed: ${stderr.trim()}`, "Look at the kernel's log.");
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
    for (const id of registry.idsOf(tx.id)) results.push(...(await Promise.allSettled([drop(id, [], registry, ctx)])));
    const failures = results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
    if (failures.length > 0) throw failures[0];
  },

  list(ctx) {
    const entries = new Registry(ctx).all().filter((entry) => existsSync(folderOf(entry)));
    return Promise.resolve(entries.map(toSnapshot));
  },

  async expose(snapshot, _view, ctx) {
    const registry = new Registry(ctx);
    const entry = registry.find(snapshot.id);
    if (entry === "unreadable") throw registry.unreadable(snapshot.id);
    if (entry?.state !== "sealed" || !existsSync(folderOf(entry))) {
      const message = `There is no whole snapshot ${snapshot.id}.`;
      throw new Refusal("UNKNOWN_SNAPSHOT", message, "If its store is a mount, mount it.");
    }
    letPass(folderOf(entry));
    return {
      trees: entry.paths.map((original) => ({ original, path: path.join(folderOf(entry), original) })),
      readOnly: false,
    };
  },

  async conceal(snapshot, ctx) {
    const entry = new Registry(ctx).find(snapshot.id);
    if (entry === undefined) return;
    const stores = entry === "unreadable" ? storesOf(snapshot) : [entry.store];
    for (const store of stores) closeFolder(folderOf({ id: snapshot.id, store }));
  },

  async remove(snapshot, ctx) {
    await drop(snapshot.id, storesOf(snapshot), new Registry(ctx), ctx);
  },
};
export default provider;

/** The store, as seal told it to the host: for when the entry cannot be read. */
function storesOf({ facts }: Snapshot): string[] {
  const folder = facts?.["path"];
  return typeof folder === "string" ? [path.dirname(folder)] : [];
}

/** Removes a snapshot whose store may also be one of those given. */
async function drop(id: string, stores: string[], registry: Registry, ctx: Context<Options>): Promise<void> {
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

async function lookAt(volume: Volume, registry: Registry, ctx: Context<Options>): Promise<Part> {
  const place = await choosePlace(volume, ctx);
  // Snapshots are never captured themselves, wherever they lie.
  const stores = [place.store, path.join(ctx.dataDir, "snapshots"), ...registry.all().map((entry) => entry.store)];
  const inside = stores.filter((store) => volume.paths.some((captured) => isWithin(store, captured)));
  const exclude = [...new Set([...volume.exclude, ...inside])];
  // Names that no argument can carry are refused now; what is there by then is selected anew by commit.
  select(volume.paths, exclude);
  const seen = await survey(volume.paths, exclude, ctx);
  if (seen.faults.length > 0) throw unreadable(seen.faults);
  if (place.why !== undefined) ctx.log.info(`copying, not cloning: ${place.why}`, { volume: volume.id });
  for (const dir of seen.notCaptured)
    ctx.log.warn(`${dir} is another file system or subvolume: its content is not captured`);
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

/** The folder is ours alone until it is exposed: whoever could enter might put links where we copy to. */
function makeFolder(entry: Entry): void {
  try {
    mkdirSync(entry.store, { recursive: true, mode: 0o711 });
    mkdirSync(folderOf(entry), { mode: 0o700 });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Refusal("STORE", `The store cannot be used: ${reason}.`, "Give another folder with the option `store`.");
  }
}

function unreadable(faults: readonly string[]): Refusal {
  const more = faults.length > SHOWN ? `; and ${faults.length - SHOWN} more` : "";
  return new Refusal(
    "UNREADABLE",
    `Cannot be copied: ${faults.slice(0, SHOWN).join("; ")}${more}.`,
    "Run as a user who may read them, or leave them out.",
  );
}
