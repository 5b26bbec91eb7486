import { lstatSync } from "node:fs";
import type { Engine } from "../../engine/engine.js";
import type { EngineApi } from "./door.js";

/**
 * The service where it runs, works with the same state, and lets us in; else the engine itself. For root both do the same. Others,
 * who cannot work with root's state, go by the service unless they have a config of their own.
 */
export async function connectEngine(requester: Engine): Promise<EngineApi> {
  const { socket } = requester.settings.service;
  const there = lstatSync(socket, { throwIfNoEntry: false });
  const isTrusted = there?.isSocket() === true && (there.uid === 0 || there.uid === process.getuid?.());
  if (!isTrusted) return requester;
  const { RemoteEngine: RemoteEngine } = await import("./remote-engine.js");
  return (await RemoteEngine.connect(requester.settings)) ?? requester;
}
