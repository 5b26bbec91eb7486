import { HoldstillError } from "../base/errors/error.js";
import { isProvider } from "../host/isolation/session.js";
import type { Volume } from "../base/schema/types.js";
import type { PluginWorkers } from "../host/plugin-workers.js";
import type { PlannedVolume } from "./plan.js";

/**
 * Finds a provider for each volume: the first one in the order of the config that can capture it.
 *
 * @throws HoldstillError E_NO_PROVIDER, or the error of a provider that failed.
 */
export function matchAll(
  workers: PluginWorkers,
  volumes: readonly Volume[],
  limitMs: number,
): Promise<PlannedVolume[]> {
  const providers = [...workers.plugins.values()]
    .filter((plugin) => plugin.who.role === "provider")
    .map(({ who }) => who);
  return Promise.all(
    volumes.map(async (volume) => {
      for (const { instance } of providers) {
        const session = await workers.session(instance);
        if (!isProvider(session)) continue;
        const qualities = await session.call("match", [volume], limitMs);
        if (qualities !== null) return { volume, provider: instance, qualities };
      }
      throw new HoldstillError("E_NO_PROVIDER", {
        volume: volume.id,
        paths: volume.paths,
        asked: providers.map((who) => `${who.instance} (${who.plugin} ${who.version})`),
      });
    }),
  );
}
