import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import type { ClusterSettings } from "../base/config/cluster-settings.js";
import { HoldstillError } from "../base/errors/error.js";
import { EtcdEngine } from "./etcd/etcd-engine.js";
import { ClusterKeys } from "./keys.js";

/** The protocol of this version. Hosts of one set have to speak the same. */
export const clusterProtocol = 1;

/** This host in the cluster. */
export interface ClusterAccess {
  readonly engine: EtcdEngine;
  readonly keys: ClusterKeys;
  readonly self: string;
  readonly bootId: string;
}

/** Reads the certificates. Connects when it is used. @throws HoldstillError E_CLUSTER_REFUSED */
export function openCluster({ endpoints, tls, name, prefix }: ClusterSettings): ClusterAccess {
  const files = tls === null ? null : { ca: readPem(tls.ca), cert: readPem(tls.certificate), key: readPem(tls.key) };
  const self = name ?? (files === null ? null : commonName(files.cert)) ?? hostname();
  const engine = new EtcdEngine({ endpoints, tls: files, name: self });
  return { engine, keys: new ClusterKeys(prefix), self, bootId: readBootId() };
}

export const readBootId = (): string => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();

function readPem(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const problem = `The file ${file} of cluster.tls cannot be read: ${(error as NodeJS.ErrnoException).code}.`;
    throw new HoldstillError("E_CLUSTER_REFUSED", { problem, hint: "Correct the path, or the mode of the file." });
  }
}

function commonName(certificate: string): string | null {
  return /^CN=(.+)$/m.exec(new X509Certificate(certificate).subject)?.[1] ?? null;
}
