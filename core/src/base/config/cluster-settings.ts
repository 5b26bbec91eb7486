import type { ClusterConfig } from "../schema/types.js";
import { parseDuration } from "./duration.js";

/** The block `cluster` of the config, with defaults. */
export interface ClusterSettings {
  endpoints: string[];
  /** Absolute paths; null: without TLS. */
  tls: { ca: string; certificate: string; key: string } | null;
  /** null: the common name of the certificate, else the hostname. */
  name: string | null;
  prefix: string;
  /** What others may have captured here. */
  allow: string[];
  limits: ClusterLimitsMs;
  /** For each group, the targets of each host. */
  groups: Record<string, Record<string, string[]>>;
}

/** ms */
export interface ClusterLimitsMs {
  hold: number;
  pause: number;
}

/** @param fromBase Makes a path absolute that is relative to the config file. */
export function clusterSettingsOf(config: ClusterConfig, fromBase: (file: string) => string): ClusterSettings {
  const { endpoints, tls, name, prefix, allow, limits, groups } = config;
  return {
    endpoints: endpoints.map((url) => url.replace(/\/$/, "")),
    tls:
      tls === undefined
        ? null
        : { ca: fromBase(tls.ca), certificate: fromBase(tls.certificate), key: fromBase(tls.key) },
    name: name ?? null,
    prefix: prefix ?? "/holdstill/v1/",
    allow: allow ?? [],
    limits: { hold: parseDuration(limits?.hold) ?? 2000, pause: parseDuration(limits?.pause) ?? 60_000 },
    groups: groups ?? {},
  };
}
