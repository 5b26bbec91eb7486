import type { Component } from "holdstill/plugin";
import { PluginError } from "./errors.js";

/** What identify keeps with the set: all that repair, verification, and restore of a snapshot know of the server. */
export interface Facts {
  readonly version: string;
  readonly systemIdentifier: string;
  readonly timeline: number;
  readonly role: "primary" | "standby";
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  readonly walDir: string;
  /** Absent in the record of an older version. */
  readonly walSegmentBytes?: number;
  readonly tablespaces: readonly Tablespace[];
  readonly configFilesElsewhere: readonly string[];
  /** Absent in the record of an older version. */
  readonly unloggedTables?: readonly string[];
  readonly archiver: Archiver;
  /** Settings on which PostgreSQL's recovery depends. */
  readonly settings: Readonly<Record<string, string>>;
  /** Folder of the server's programs; absent if it could not be read. */
  readonly programs?: string | undefined;
}

export interface Tablespace {
  readonly oid: number;
  readonly name: string;
  /** As the server knows it. */
  readonly location: string;
  /** Without symbolic links: what is captured. */
  readonly folder: string;
}

export interface Archiver {
  readonly mode: string;
  readonly lastArchived: string | null;
  readonly lastFailed: string | null;
  /** The last attempt failed. */
  readonly failing: boolean;
}

/** The facts that `identify` gave a component. */
export function factsOf({ facts }: Component): Facts {
  if (isFacts(facts)) return facts;
  const hint = "Use the version of writer-postgres that took the set.";
  throw new PluginError("PG_SNAPSHOT", "the component's facts are not those of this version of writer-postgres", hint);
}

function isFacts(facts: Component["facts"] | Facts): facts is Facts {
  const { dataDir, systemIdentifier, tablespaces, settings } = facts ?? {};
  const known = typeof dataDir === "string" && typeof systemIdentifier === "string" && typeof settings === "object";
  return known && Array.isArray(tablespaces);
}
