import type { Snapshot, Space } from "holdstill/plugin";
import type { Client } from "./client.js";
import { type Place } from "./messages.js";
import { placeName } from "./known-pools.js";

/** A snapshot takes no space at first. Without a manager daemon, the cluster does not know what is free. */
export async function spaceIn(at: Place, client: Client): Promise<Space> {
  const { totalBytes, freeBytes } = await client.request("space", { at });
  const pool = `the cluster ${client.connected.fsid}`;
  return totalBytes === 0 ? { pool, neededBytes: 0 } : { pool, neededBytes: 0, freeBytes };
}

/** null: not known. */
export async function usageIn(at: Place, client: Client): Promise<NonNullable<Snapshot["usage"]> | null> {
  const { totalBytes, freeBytes } = await client.request("space", { at });
  if (totalBytes === 0) return null;
  const percent = Math.round((1000 * (totalBytes - freeBytes)) / totalBytes) / 10;
  return { percent, where: `the cluster of ${placeName(at)}` };
}
