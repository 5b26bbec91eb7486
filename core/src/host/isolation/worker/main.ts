import type { Task } from "../wire.js";
import { toPluginFault } from "./fault.js";
import { connectToHost, type Link } from "./link.js";
import { loadPlugin } from "./load.js";
import { serveCalls } from "./serve.js";

/** The worker's one task: the plugin's session. It never returns; the host kills the worker. */
export default async function main({ start, port }: Task): Promise<never> {
  const link = connectToHost(port);
  dieAloud(link);
  if (port === null) liveWithTheHost();
  try {
    const methods = await loadPlugin(start);
    serveCalls(methods, start, link);
    link.post({ type: "ready", ops: [...methods.keys()] });
  } catch (error) {
    link.post({ type: "refused", reason: toPluginFault(error).message });
  }
  return new Promise<never>(() => {});
}

function dieAloud(link: Link): void {
  const die = (what: string, thrown: unknown): void => {
    const reason = `${what}: ${toPluginFault(thrown).message}`;
    link.postLast({ type: "dying", reason }, () => process.exit(1));
  };
  process.on("uncaughtException", (error) => die("an exception that nothing caught", error));
  process.on("unhandledRejection", (error) => die("a rejected promise that nothing handled", error));
}

/**
 * Without this, a process would outlive a killed host. It ignores signals, which reach it through the host's process group
 * (Ctrl-C) or control group (systemd): the host handles them, and may still need this plugin to thaw.
 */
function liveWithTheHost(): void {
  process.on("disconnect", () => process.exit(0));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
}
