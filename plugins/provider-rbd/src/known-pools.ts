import path from "node:path";
import type { Context } from "holdstill/plugin";
import { readIfExists, removeDurably, writeDurably } from "#kit/durable-file.js";
import type { Place } from "./messages.js";

/** A pool in which this instance has made snapshots, and the cluster that it is in. */
export interface KnownPool extends Place {
  readonly fsid: string;
}

type Folder = Pick<Context, "dataDir">;

const fileOf = ({ dataDir }: Folder): string => path.join(dataDir, "pools.json");

export function knownPools(ctx: Folder): readonly KnownPool[] {
  return JSON.parse(readIfExists(fileOf(ctx)) ?? "[]") as KnownPool[];
}

/** To be called before something is made there. */
export function know(pool: KnownPool, ctx: Folder): void {
  const others = knownPools(ctx).filter((one) => !isSame(one, pool));
  writeDurably(fileOf(ctx), JSON.stringify([...others, pool]));
}

/** There is nothing of this instance in it. */
export function forget(pool: KnownPool, ctx: Folder): void {
  const others = knownPools(ctx).filter((one) => !isSame(one, pool));
  if (others.length === 0) removeDurably(fileOf(ctx));
  else writeDurably(fileOf(ctx), JSON.stringify(others));
}

const isSame = (one: KnownPool, other: KnownPool): boolean => one.fsid === other.fsid && isSamePlace(one, other);

export const isSamePlace = (one: Place, other: Place): boolean =>
  one.pool === other.pool && one.namespace === other.namespace;

/** As a person writes it: `pool`, or `pool/namespace`. */
export const placeName = ({ pool, namespace }: Place): string => (namespace === "" ? pool : `${pool}/${namespace}`);
