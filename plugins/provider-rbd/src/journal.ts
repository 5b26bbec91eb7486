import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import type { Context } from "holdstill/plugin";
import { codeOf } from "#kit/plugin-error.js";
import type { Client } from "./client.js";
import { type Entry, isEntry } from "./entry.js";
import { PluginError } from "./errors.js";
import { forget, isSamePlace, know, type KnownPool, knownPools, placeName } from "./known-pools.js";
import type { Place } from "./messages.js";
import type { Options } from "./options.js";
import { mappedImages } from "./source.js";

/** This host, in the entries of all that share the cluster. */
export function hostId(): string {
  try {
    return readFileSync("/etc/machine-id", "utf8").trim() || hostname();
  } catch {
    return hostname();
  }
}

/** The entries of this host, in each pool and namespace an object of the cluster itself: a lost state directory does not lose them. */
export class Journal {
  readonly client: Client;
  readonly #ctx: Context<Options>;
  readonly #host = hostId();

  constructor(client: Client, ctx: Context<Options>) {
    this.client = client;
    this.#ctx = ctx;
  }

  /** Where this instance may have snapshots: where it has made some, and where the images are that are mapped here. */
  async places(): Promise<Place[]> {
    const { fsid: own } = this.client.connected;
    const mapped = (await mappedImages(this.#ctx)).filter(({ fsid }) => fsid === null || fsid === own);
    const places: Place[] = [];
    for (const { pool, namespace } of [...this.#known(), ...mapped])
      if (!places.some((place) => isSamePlace(place, { pool, namespace }))) places.push({ pool, namespace });
    return places;
  }

  /** What this instance has made elsewhere: in another cluster than the one that the options name now. */
  elsewhere(): readonly KnownPool[] {
    return knownPools(this.#ctx).filter(({ fsid }) => fsid !== this.client.connected.fsid);
  }

  #known(): readonly KnownPool[] {
    return knownPools(this.#ctx).filter(({ fsid }) => fsid === this.client.connected.fsid);
  }

  async in(at: Place): Promise<Entry[]> {
    const values = await this.client.request("readJournal", { at }).catch((error: unknown) => {
      if (codeOf(error) !== "NOT_FOUND") throw error;
      if (this.#known().some((pool) => isSamePlace(pool, at))) throw poolGone(at);
      // The pool of an image that is mapped from another cluster.
      return {};
    });
    const all = Object.entries(values).flatMap(([id, text]) => parse(id, text));
    return all.filter(({ host }) => host === this.#host).toSorted((a, b) => numberIn(a.id) - numberIn(b.id));
  }

  /** The entries of a set; snapshots before their forks. */
  async ofSet(setId: string): Promise<Entry[]> {
    const all: Entry[] = [];
    for (const place of await this.places()) all.push(...(await this.in(place)));
    return all.filter((entry) => entry.setId === setId);
  }

  /** undefined: it does not exist. @param at Where it is, if that is known. */
  async find(id: string, at?: Place): Promise<Entry | undefined> {
    for (const place of at === undefined ? await this.places() : [at]) {
      const found = (await this.in(place)).find((entry) => entry.id === id);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Replaces the entry of the same id. */
  async write(entry: Entry): Promise<Entry> {
    const { pool, namespace } = entry.image;
    know({ fsid: this.client.connected.fsid, pool, namespace }, this.#ctx);
    await this.client.request("writeJournal", { at: { pool, namespace }, key: entry.id, value: JSON.stringify(entry) });
    return entry;
  }

  async remove({ id, image: { pool, namespace } }: Entry): Promise<void> {
    await this.client.request("removeFromJournal", { at: { pool, namespace }, key: id });
    await this.forgetIfEmpty({ pool, namespace });
  }

  async forgetIfEmpty(at: Place): Promise<void> {
    if ((await this.in(at)).length === 0) forget({ fsid: this.client.connected.fsid, ...at }, this.#ctx);
  }
}

function parse(id: string, text: string): Entry[] {
  try {
    const value = JSON.parse(text) as Partial<Entry> | null;
    return isEntry(value) && value.id === id ? [value] : [];
  } catch {
    return [];
  }
}

const numberIn = (id: string): number => Number(id.slice(id.lastIndexOf(".") + 1));

function poolGone(at: Place): PluginError {
  const message = `The cluster has no pool ${placeName(at)} now, in which snapshots were made.`;
  const hint = "If it was removed on purpose, holdstill delete --forget removes the records of its sets.";
  return new PluginError("UNREACHABLE", message, hint);
}
