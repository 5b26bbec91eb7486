import { lastTimes } from "../../store/history.js";
import { toFault } from "../../base/errors/error.js";
import { isProvider } from "../../host/isolation/session.js";
import type { ResolvedPlugin } from "../../host/manifest/resolution.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import type { IdentifiedWriters } from "../../plan/writers.js";
import type { PastTransaction } from "../../base/schema/types.js";
import { findServers } from "../setup/servers.js";
import { isWithin } from "../../os/mounts.js";
import type { ProviderStatus, WriterStatus } from "../types.js";

/** Asks every provider which snapshots exist. */
export function listSnapshots(workers: PluginWorkers, limitMs: number): Promise<ProviderStatus[]> {
  const providers = [...workers.plugins.values()].filter((plugin) => plugin.who.role === "provider");
  return Promise.all(
    providers.map(async ({ who }): Promise<ProviderStatus> => {
      try {
        const session = await workers.session(who.instance);
        return { who, snapshots: isProvider(session) ? await session.call("list", [], limitMs) : [] };
      } catch (error) {
        return { who, error: toFault(error) };
      }
    }),
  );
}

/** What each writer owns, what it did last, and which servers have their data there. */
export function writerStatuses(
  identified: readonly IdentifiedWriters[],
  past: readonly PastTransaction[],
  plugins: readonly ResolvedPlugin[],
): WriterStatus[] {
  const times = lastTimes(past);
  const manifests = plugins.map(({ manifest }) => manifest);
  const all = findServers(manifests).map(({ server }) => server);
  return identified.map((one): WriterStatus => {
    const { who, policy } = one;
    const last = times.get(who.instance) ?? null;
    if ("error" in one) return { who, policy, last, servers: [], error: toFault(one.error) };
    const paths = one.components.flatMap((component) => component.paths);
    const servers = all.filter(({ dataDir }) => paths.some((at) => isWithin(dataDir, at)));
    return { who, policy, last, servers, components: one.components };
  });
}
