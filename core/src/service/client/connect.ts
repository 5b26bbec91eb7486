import { lstatSync } from "node:fs";
import { isHoldstillError } from "../../base/errors/error.js";
import type { CatalogApi, EngineApi } from "../../engine/api.js";

/**
 * The service, if it runs, uses the same state, and grants this user a right; else the engine of this process. For root both do the
 * same. Other users cannot use root's state, so they use the service unless they have a separate config.
 */
export async function connectEngine<Local extends CatalogApi>(engine: Local): Promise<Local | EngineApi> {
  const { socket } = engine.settings.service;
  if (!isTrusted(socket)) return engine;
  const { RemoteEngine } = await import("./remote-engine.js");
  return (await RemoteEngine.connect(engine.settings)) ?? engine;
}

/**
 * The service of the machine, for a user who may not read the config that the search has found: it can be 0600, because the service
 * has read it.
 *
 * @returns null: there is another reason, or there is no service.
 */
export async function connectWithoutConfig(reason: unknown, env = process.env): Promise<EngineApi | null> {
  if (!isHoldstillError(reason) || reason.code !== "E_CONFIG_UNREADABLE") return null;
  if ((reason.cause as NodeJS.ErrnoException | undefined)?.code !== "EACCES") return null;
  const socket = env["HOLDSTILL_SOCKET"] || "/run/holdstill.sock";
  if (!isTrusted(socket)) return null;
  const { RemoteEngine } = await import("./remote-engine.js");
  return RemoteEngine.at(socket);
}

function isTrusted(socket: string): boolean {
  const found = lstatSync(socket, { throwIfNoEntry: false });
  return found?.isSocket() === true && (found.uid === 0 || found.uid === process.getuid?.());
}
