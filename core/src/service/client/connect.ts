import { lstatSync } from "node:fs";
import type { Engine } from "../../engine/engine.js";
import type { EngineApi } from "../../engine/api.js";

/**
 * The service, if it runs, uses the same state, and grants this user a right; else the engine of this process. For root both do the
 * same. Other users cannot use root's state, so they use the service unless they have a separate config.
 */
export async function connectEngine(engine: Engine): Promise<EngineApi> {
  const { socket } = engine.settings.service;
  const found = lstatSync(socket, { throwIfNoEntry: false });
  const isTrusted = found?.isSocket() === true && (found.uid === 0 || found.uid === process.getuid?.());
  if (!isTrusted) return engine;
  const { RemoteEngine } = await import("./remote-engine.js");
  return (await RemoteEngine.connect(engine.settings)) ?? engine;
}
