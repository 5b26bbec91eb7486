import type { Component } from "holdstill/plugin";
import { type Lock, lockFor } from "./lock.js";
import type { Options } from "./options.js";
import type { Server } from "./server.js";

const methods: Readonly<Record<Lock, string>> = {
  none: "no lock",
  "backup-stage": "BACKUP STAGE, so clients that write wait",
  "read-lock": "read lock, so clients that write wait",
};

/** What plan shows instead of a promise: no lock of the servers makes another snapshot usable. */
const remedies = {
  fuzzy: "put the server's folders on LVM for provider-lvm, or let provider-dmsnap take their volume",
  "per-volume": "put the server's folders on one volume, or on volumes that one provider captures as a group",
};

/**
 * The server as one component: its folders are of use only together. Its files are of use only as of one instant: the threads
 * that write InnoDB's pages go on under every lock that the servers have.
 */
export function component(server: Server, { repair }: Options): Component {
  const { folders, ...facts } = server;
  return {
    name: "server",
    kind: "database",
    paths: [...folders],
    tolerates: "point-in-time",
    level: "back-end",
    // Putting a snapshot in the place of the data, for one process, takes root.
    repair: process.getuid?.() === 0 ? repair : "none",
    ...notCovered(server),
    method: { atomic: methods[lockFor(server)], ...remedies },
    facts: { ...facts },
  };
}

function notCovered({ unknownTables }: Server): Pick<Component, "notCovered"> {
  if (unknownTables.length === 0) return {};
  const more = unknownTables.length > 5 ? ` and ${unknownTables.length - 5} more` : "";
  const named = `${unknownTables.slice(0, 5).join(", ")}${more}`;
  return { notCovered: `it does not know where the rows of these tables are, or whether they survive: ${named}` };
}
