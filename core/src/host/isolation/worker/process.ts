/**
 * The program of a plugin's process. It ends with its host. It ignores the signals that reach it through the host's control group
 * (systemd): the host handles them, and may still need this plugin to thaw.
 */
import { connectToProcess } from "./link.js";
import { serveHost } from "./main.js";

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
void serveHost(connectToProcess(3, () => process.exit(0)));
