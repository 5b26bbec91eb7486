import type { Context, Listed, Provider, Snapshot } from "holdstill/plugin";
import { Client } from "./client.js";
import { cutOf, findSnapshot, snapshotIn, take } from "./cut.js";
import { type Entry, nameOf, snapshotName, toSnapshot } from "./entry.js";
import { PluginError } from "./errors.js";
import { expose, unexpose } from "./exposure.js";
import { imageNamed, infoOf, makeImage } from "./image.js";
import { hostId, Journal } from "./journal.js";
import { knownPools, placeName } from "./known-pools.js";
import type { ImageInfo, Place } from "./messages.js";
import type { Options } from "./options.js";
import { remove } from "./removal.js";
import { preserve, revert } from "./revert.js";
import { mappedImages, type Source, sourceOf } from "./source.js";
import { spaceIn, usageIn } from "./space.js";

/** From prepare to seal, by the transaction's id: the commit reads no file, and starts no program. */
const underway = new Map<string, { readonly client: Client; readonly entries: readonly Entry[] }>();

const provider: Provider<Options> = {
  async match(volume, ctx) {
    const source = await sourceOf(volume, ctx);
    if (source === null) return null;
    const client = await Client.connect(ctx);
    if (source.fsid !== null && source.fsid !== client.connected.fsid) return null;
    const info = await openImage(source, client);
    const cut = cutOf(info, ctx.options, client);
    const isCopied = cut.by === "group" && !client.connected.clonesGroups;
    const how = cut.by === "group" ? `snapshot of the group ${cut.group.name}` : "snapshot of the image";
    return {
      pointInTime: true,
      hold: [{ kind: "fs", mount: volume.mountPoint }],
      writable: false,
      revert: cut.by === "image",
      method: isCopied ? `${how}, exposed by a full copy` : how,
      where: `${placeName(source)} of the cluster ${client.connected.fsid}`,
      space: { ...(await spaceIn(source, client)), fork: isCopied ? "copies" : "shares" },
    };
  },

  async prepare(tx, volumes, ctx) {
    const client = await Client.connect(ctx);
    const journal = new Journal(client, ctx);
    const entries: Entry[] = [];
    underway.set(tx.id, { client, entries });
    const host = hostId();
    for (const [index, volume] of volumes.entries()) {
      const source = await sourceOf(volume, ctx);
      if (source === null) throw notMapped(volume.mountPoint);
      const { pool, namespace, name, way } = source;
      const info = await openImage(source, client);
      const image = { pool, namespace, id: info.id };
      const cut = cutOf(info, ctx.options, client);
      const createdAt = new Date().toISOString();
      const own = { id: `${tx.id}.${index}`, setId: tx.id, host, volume, image, imageName: name, way, createdAt };
      entries.push(await journal.write({ version: 1, ...own, held: { as: "planned", cut } }));
      if (cut.by === "image") await client.request("keep", { of: image });
    }
    return {
      hold: volumes.map(({ mountPoint }) => ({ kind: "fs", mount: mountPoint })),
      commit: [{ op: "plugin" }],
    };
  },

  async commit(tx, ctx) {
    const { client, entries } = underway.get(tx.id) ?? { entries: [] };
    if (client !== undefined) await take(entries, client.during(ctx));
  },

  async seal(tx, ctx) {
    const client = await Client.connect(ctx);
    const journal = new Journal(client, ctx);
    const sealed: Snapshot[] = [];
    for (const entry of underway.get(tx.id)?.entries ?? []) {
      if (entry.held.as !== "planned") continue;
      const { cut } = entry.held;
      await client.request("letGo", { of: entry.image });
      const held = { as: "snapshot", cut, snapshot: await snapshotIn(entry, cut, client) } as const;
      const createdAt = new Date().toISOString();
      sealed.push(toSnapshot(await journal.write({ ...entry, createdAt, held }), client.connected.fsid));
    }
    underway.delete(tx.id);
    return sealed;
  },

  async abort(tx, ctx) {
    const entries = underway.get(tx.id)?.entries ?? [];
    if (entries.length === 0 && knownPools(ctx).length === 0) return;
    const client = await Client.connect(ctx);
    for (const { image } of entries) await client.request("letGo", { of: image });
    const journal = new Journal(client, ctx);
    const errors: unknown[] = [];
    for (const entry of (await journal.ofSet(tx.id)).toReversed())
      await remove(entry, journal, ctx).catch((error: unknown) => errors.push(error));
    if (errors.length > 0) throw errors[0];
    underway.delete(tx.id);
  },

  async list(ctx) {
    if (knownPools(ctx).length === 0 && (await mappedImages(ctx)).length === 0) return [];
    const client = await Client.connect(ctx);
    const journal = new Journal(client, ctx);
    const snapshots: Snapshot[] = [];
    const unseen = journal
      .elsewhere()
      .map((pool) => `The pool ${placeName(pool)} is in another cluster, ${pool.fsid}. Correct the option conf.`);
    const places = await journal.places();
    const errors: PluginError[] = [];
    for (const place of places) {
      try {
        snapshots.push(...(await describeAll(await journal.in(place), place, client)));
      } catch (error) {
        if (!(error instanceof PluginError)) throw error;
        errors.push(error);
      }
    }
    const [first] = errors;
    if (first !== undefined && errors.length === places.length) throw first;
    unseen.push(...errors.map(({ message, hint }) => `${message} ${hint}`));
    return unseen.length === 0 ? snapshots : ({ snapshots, unseen } satisfies Listed);
  },

  async expose(snapshot, view, ctx) {
    const { journal, entry } = await find(snapshot, ctx);
    return await expose(complete(entry, snapshot), view, journal, ctx);
  },

  async unexpose(snapshot, ctx) {
    const { journal, entry } = await find(snapshot, ctx);
    if (entry !== undefined) await unexpose(entry, journal, ctx);
  },

  async remove(snapshot, ctx) {
    const { journal, entry } = await find(snapshot, ctx);
    if (entry !== undefined) await remove(entry, journal, ctx);
  },

  async fork(snapshot, ctx) {
    const found = await find(snapshot, ctx);
    const { journal } = found;
    const { shown: _, ...cut } = complete(found.entry, snapshot);
    const id = nextId(cut, await journal.ofSet(cut.setId));
    const createdAt = new Date().toISOString();
    const planned = await journal.write({ ...cut, id, of: cut.id, createdAt, held: { as: "fork", state: "planned" } });
    try {
      await makeImage(cut, nameOf.fork(planned), journal.client);
    } catch (error) {
      // After an abort the host asks for it.
      if (!ctx.signal.aborted) await remove(planned, journal, ctx).catch(() => null);
      throw error;
    }
    const made = await journal.write({ ...planned, held: { as: "fork", state: "made" } });
    return toSnapshot(made, journal.client.connected.fsid);
  },

  async preserve(snapshot, tx, ctx) {
    const { journal, entry } = await find(snapshot, ctx);
    const kept = await preserve(complete(entry, snapshot), tx, journal);
    return toSnapshot(kept, journal.client.connected.fsid);
  },

  async revert(snapshot, ctx) {
    const { journal, entry } = await find(snapshot, ctx);
    await revert(complete(entry, snapshot), journal, ctx);
  },
};
export default provider;

/**
 * An image that a client has open, as one does that is mapped. Another cluster may have an image of the same name.
 *
 * @throws PluginError UNSUPPORTED
 */
async function openImage({ pool, namespace, name }: Source, client: Client): Promise<ImageInfo> {
  const info = await client.request("info", { of: { pool, namespace, name } });
  if (info.watchers.length > 0) return info;
  const place = placeName({ pool, namespace });
  const message = `The image ${name} in ${place} of the cluster ${client.connected.fsid} is not mapped by any client.`;
  throw new PluginError("UNSUPPORTED", message, "If it is mapped from another cluster, name that one with `conf`.");
}

/** The entry of a snapshot; undefined: it does not exist. @throws PluginError UNREACHABLE if that cannot be known. */
async function find(
  { id, facts }: Snapshot,
  ctx: Context<Options>,
): Promise<{ journal: Journal; entry: Entry | undefined }> {
  const client = await Client.connect(ctx);
  const { fsid } = client.connected;
  const cluster = facts?.["cluster"];
  if (typeof cluster === "string" && cluster !== fsid) {
    const message = `The snapshot ${id} is in the cluster ${cluster}, and ${ctx.options.conf} names ${fsid}.`;
    throw new PluginError("UNREACHABLE", message, "Correct the option `conf`.");
  }
  const journal = new Journal(client, ctx);
  return { journal, entry: await journal.find(id, placeIn(facts)) };
}

function placeIn(facts: Snapshot["facts"]): Place | undefined {
  const [pool, namespace] = [facts?.["pool"], facts?.["namespace"]];
  return typeof pool === "string" && typeof namespace === "string" ? { pool, namespace } : undefined;
}

/** @throws PluginError UNKNOWN_SNAPSHOT */
function complete(entry: Entry | undefined, { id }: Snapshot): Entry {
  const isWhole = entry?.held.as === "snapshot" || (entry?.held.as === "fork" && entry.held.state === "made");
  if (entry !== undefined && isWhole) return entry;
  const message = `The snapshot ${id} does not exist, or is not complete.`;
  throw new PluginError("UNKNOWN_SNAPSHOT", message, "`holdstill list` has all snapshots.");
}

async function describeAll(entries: readonly Entry[], place: Place, client: Client): Promise<Snapshot[]> {
  const there = entries.filter(({ held }) => held.as === "fork" || held.removal !== "asked");
  if (there.length === 0) return [];
  const usage = await usageIn(place, client);
  const { fsid } = client.connected;
  return await Promise.all(
    there.map(async (entry) => {
      const lost = await lostReason(entry, client);
      return {
        ...toSnapshot(entry, fsid),
        ...(entry.of === undefined ? { volume: entry.volume } : {}),
        ...(usage === null ? {} : { usage }),
        ...(lost === null ? {} : { lost }),
      };
    }),
  );
}

/** Why it can no longer be read; null: it can, or it is not complete, so that `recover` removes it. */
async function lostReason(entry: Entry, client: Client): Promise<string | null> {
  const { held } = entry;
  if (held.as === "planned" || (held.as === "fork" && held.state === "planned")) return null;
  const of = held.as === "fork" ? imageNamed(nameOf.fork(entry), entry) : entry.image;
  const info = await infoOf(of, client);
  if (info === null) return `the image ${held.as === "fork" ? nameOf.fork(entry) : entry.imageName} no longer exists`;
  if (held.as === "fork") return null;
  const name = snapshotName(entry, held.cut);
  return findSnapshot(info, name, held.cut) === undefined ? `the image no longer has the snapshot ${name}` : null;
}

function nextId({ setId }: Entry, ofSet: readonly Entry[]): string {
  const numbers = ofSet.map(({ id }) => Number(id.slice(id.lastIndexOf(".") + 1)));
  return `${setId}.${Math.max(...numbers) + 1}`;
}

function notMapped(mountPoint: string): PluginError {
  const message = `${mountPoint} is no longer on an RBD image.`;
  return new PluginError("CHANGED", message, "Run the command again.");
}
