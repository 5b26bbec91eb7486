import { parentPort } from "node:worker_threads";
import type { Start, Task } from "../wire.js";
import { toPluginFault } from "./fault.js";
import { connectToThread, die, type Link } from "./link.js";
import { loadPlugin, type Method } from "./load.js";
import { serveCalls } from "./serve.js";

/** The one task of a thread: the plugin's session. It never returns; the host kills the worker. */
export default function main({ port, program }: Task): Promise<never> {
  // tinypool needs it no more, and shows each message there that is not its own to a person.
  parentPort?.close();
  const link = connectToThread(port);
  if (program === undefined) return serveHost(link);
  return serveHost(link, async (start) => (await import("./program.js")).loadProgram(start, program, link));
}

type Load = (start: Start) => Promise<Map<string, Method>>;

/** Waits for the host's first message, and serves the plugin that it names. */
export async function serveHost(link: Link, load: Load = loadPlugin): Promise<never> {
  dieAloud(link);
  let serve: ReturnType<typeof serveCalls> | undefined;
  link.onMessage((message) => {
    if (message.type === "start") void serving(message.start, link, load).then((loaded) => (serve = loaded));
    else serve?.(message);
  });
  return new Promise<never>(() => {});
}

async function serving(start: Start, link: Link, load: Load): Promise<ReturnType<typeof serveCalls> | undefined> {
  try {
    const methods = await load(start);
    link.post({ type: "ready", ops: [...methods.keys()] });
    return serveCalls(methods, start, link);
  } catch (error) {
    link.post({ type: "refused", reason: toPluginFault(error).message });
    return undefined;
  }
}

function dieAloud(link: Link): void {
  const report = (what: string, thrown: unknown): void => die(link, `${what}: ${toPluginFault(thrown).message}`);
  process.on("uncaughtException", (error) => report("an exception that nothing caught", error));
  process.on("unhandledRejection", (error) => report("a rejected promise that nothing handled", error));
}
