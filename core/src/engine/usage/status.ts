import { lastTimes } from "../../store/history.js";
import { HoldstillError, toFault } from "../../base/errors/error.js";
import { isProvider } from "../../host/isolation/session.js";
import type { ResolvedPlugin } from "../../host/manifest/resolution.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import type { IdentifiedWriters } from "../../plan/writers.js";
import type { PastTransaction } from "../../base/schema/types.js";
import { findServers } from "../setup/servers.js";
import { isWithin } from "../../os/mounts.js";
import type { ProviderStatus, WriterStatus } from "../types.js";

/** Asks every provider, or only those named, which snapshots exist. One that does not answer gets a new worker for the next call. */
export function listSnapshots(
  workers: PluginWorkers,
  limitMs: number,
  only?: ReadonlySet<string>,
): Promise<ProviderStatus[]> {
  const providers = [...workers.plugins.values()].filter(
    ({ who }) => who.role === "provider" && (only?.has(who.instance) ?? true),
  );
  return Promise.all(
    providers.map(async ({ who }): Promise<ProviderStatus> => {
      try {
        const session = await workers.session(who.instance);
        if (!isProvider(session)) return { who, snapshots: [] };
        const listed = await session.call("list", [], limitMs);
        if (Array.isArray(listed)) return { who, snapshots: listed };
        const { snapshots, unseen } = listed;
        const error = new HoldstillError("E_UNREACHABLE", { who, op: "list", reason: unseen.join(" ") });
        return { who, snapshots, error: toFault(error) };
      } catch (error) {
        const fault = toFault(error);
        if (fault.code === "E_DEADLINE" || fault.code === "E_PLUGIN_DIED") await workers.retire(who.instance);
        return { who, error: fault };
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
    const servers = all.filter(({ dataDir, place }) => place === "host" && paths.some((at) => isWithin(dataDir, at)));
    return { who, policy, last, servers, components: one.components };
  });
}
