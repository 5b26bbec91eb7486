import { lstatSync } from "node:fs";
import type { CatalogApi, EngineApi } from "../../engine/api.js";

/**
 * The service, if it runs, uses the same state, and grants this user a right; else the engine of this process. For root both do the
 * same. Other users cannot use root's state, so they use the service unless they have a separate config.
 */
export async function connectEngine<Local extends CatalogApi>(engine: Local): Promise<Local | EngineApi> {
  const { socket } = engine.settings.service;
  const found = lstatSync(socket, { throwIfNoEntry: false });
  const isTrusted = found?.isSocket() === true && (found.uid === 0 || found.uid === process.getuid?.());
  if (!isTrusted) return engine;
  const { RemoteEngine } = await import("./remote-engine.js");
  return (await RemoteEngine.connect(engine.settings)) ?? engine;
}
