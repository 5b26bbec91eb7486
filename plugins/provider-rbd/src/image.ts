import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "holdstill/plugin";
import { codeOf } from "#kit/plugin-error.js";
import type { Client } from "./client.js";
import { type Entry, nameOf, snapshotName } from "./entry.js";
import type { ImageInfo, ImageName, ImageRef, Place } from "./messages.js";
import type { Options } from "./options.js";

/** Of a fork, what a view is cloned from. */
const VIEW_SNAPSHOT = "holdstill.view";
/** Between two tries to remove an image that a client has open, ms: a client that was killed has it for half a minute. */
const PAUSE_MS = 200;
/** How long a client may take to let go of an image, ms. */
const LET_GO_MS = 60_000;

/** What the cluster has of an image; null: it no longer exists. */
export const infoOf = (of: ImageRef | ImageName, client: Client): Promise<ImageInfo | null> =>
  unless("NOT_FOUND", client.request("info", { of }), null);

/** The image of a fork, or the one that is made for a view. */
export const imageNamed = (name: string, { image: { pool, namespace } }: Entry): ImageName => ({
  pool,
  namespace,
  name,
});

/**
 * Makes an image with the contents of a snapshot or fork: a clone, or a copy if librbd cannot clone a group's snapshot. Nothing has the
 * name yet.
 */
export async function makeImage(entry: Entry, to: string, client: Client): Promise<void> {
  const { held, image } = entry;
  if (held.as === "fork") {
    const of = imageNamed(nameOf.fork(entry), entry);
    await unless("EXISTS", client.request("createSnapshot", { of, name: VIEW_SNAPSHOT }), null);
    await client.request("clone", { of, snapshot: VIEW_SNAPSHOT, to });
  } else if (held.cut.by === "image") {
    await client.request("clone", { of: image, snapshot: snapshotName(entry, held.cut), to });
  } else if (held.as === "snapshot") {
    const request = { of: image, snapshot: held.snapshot, to };
    if (client.connected.clonesGroups) await client.request("clone", request);
    else await client.request("copy", request, "patient");
  }
}

/** Removes what was made for a view of it. Idempotent. */
export async function removeViewImage(entry: Entry, client: Client, ctx: Context<Options>): Promise<void> {
  await removeImage(entry.image, nameOf.view(entry), client, ctx);
  if (entry.held.as !== "fork") return;
  const of = imageNamed(nameOf.fork(entry), entry);
  await unless("NOT_FOUND", client.request("removeSnapshot", { of, name: VIEW_SNAPSHOT }), null);
}

/** Idempotent. @throws PluginError BUSY if a client has it open. */
export async function removeImage(
  { pool, namespace }: Place,
  name: string,
  client: Client,
  ctx: Context<Options>,
): Promise<void> {
  for (const before = Date.now(); ; await sleep(PAUSE_MS, undefined, { signal: ctx.signal })) {
    try {
      await unless("NOT_FOUND", client.request("removeImage", { at: { pool, namespace }, name }, "patient"), null);
      return;
    } catch (error) {
      if (codeOf(error) !== "BUSY" || Date.now() - before > LET_GO_MS) throw error;
    }
  }
}

/** The result of a request; `instead` if it failed with the code. */
export async function unless<T, U>(code: string, request: Promise<T>, instead: U): Promise<T | U> {
  try {
    return await request;
  } catch (error) {
    if (codeOf(error) === code) return instead;
    throw error;
  }
}
