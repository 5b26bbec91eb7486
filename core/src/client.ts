/** holdstill's service from Node: `const holdstill = await connect(); await holdstill.create({ targets: ["/srv"] })`. */
import { RemoteEngine } from "./service/client/remote-engine.js";

export { HoldstillError, type Code, type Details } from "./base/errors/error.js";
export type { TransactionResult, ProviderStatus, Watcher, WriterStatus } from "./engine/types.js";
export type { Plan, SnapshotRequest } from "./plan/plan.js";
export type { Event, Fault, Residue, SnapshotSet } from "./base/schema/types.js";
export type { RemoteEngine } from "./service/client/remote-engine.js";

export interface ConnectOptions {
  /** The service's socket. Without it that of HOLDSTILL_SOCKET, of the config, or the usual one. */
  socket?: string;
}

/**
 * The engine of a running service: the same calls as those of `open`, without plugins or workers in this process. The kernel reports
 * the user of this process to the service, and the service's config contains the rights of that user.
 *
 * @throws HoldstillError E_SERVICE_LOST when no service answers there.
 */
export async function connect({ socket }: ConnectOptions = {}): Promise<RemoteEngine> {
  return RemoteEngine.at(socket ?? (await usualSocket()));
}

async function usualSocket(): Promise<string> {
  const { loadSettings } = await import("./base/config/load.js");
  const { pathProblems } = await import("./host/trust/access-list.js");
  return (await loadSettings({ problemsOf: pathProblems })).service.socket;
}
