import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import type { Folder } from "./folder.js";

/** With these files, a server waits for WAL from elsewhere. What a snapshot has is enough. */
export function becomeIndependent(dataDir: Folder): void {
  for (const signal of ["standby.signal", "recovery.signal"]) dataDir.remove(signal);
}

/**
 * Puts into a data directory what makes a fuzzy copy whole: backup_label, and the WAL that it needs in place of any other. Not
 * tablespace_map: the links are already made. A sidecar without a label is that of an atomic cut, for which nothing has to be done.
 */
export function applySidecar(sidecarDir: string, dataDir: Folder): void {
  const label = path.join(sidecarDir, "backup_label");
  if (!existsSync(label)) return;
  if (dataDir.kind("pg_wal") === "link") dataDir.remove("pg_wal");
  const wal = dataDir.folder("pg_wal");
  try {
    for (const entry of wal.entries()) if (!entry.isDirectory()) wal.remove(entry.name);
    const from = path.join(sidecarDir, "pg_wal");
    for (const name of readdirSync(from)) wal.receive(path.join(from, name), name);
  } finally {
    wal.close();
  }
  dataDir.remove("backup_label");
  dataDir.receive(label, "backup_label");
}
