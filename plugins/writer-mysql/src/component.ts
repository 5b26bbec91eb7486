import type { Component } from "holdstill/plugin";
import { type Lock, lockFor } from "./lock.js";
import type { Options } from "./options.js";
import type { Server } from "./server.js";

const methods: Readonly<Record<Lock, string>> = {
  none: "no lock",
  "backup-stage": "BACKUP STAGE, so clients that write wait",
  "read-lock": "read lock, so clients that write wait",
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
    method: { atomic: methods[lockFor(server)] },
    facts: { ...facts },
  };
}
