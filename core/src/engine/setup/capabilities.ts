import { statSync } from "node:fs";
import { toFault } from "../../base/errors/error.js";
import type { FileSystemVolume, ProviderCapabilities } from "../../base/schema/types.js";
import { isProvider } from "../../host/isolation/session.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import { deviceMounts } from "../../os/device-mounts.js";
import { captures } from "../../plan/match.js";
import { locate } from "../../plan/locate.js";

const optional = ["fork", "preserve", "revert", "diff", "receive"] as const;

/** What each provider can do, and how it would capture each file system on a block device. */
export function providerCapabilities(workers: PluginWorkers, limitMs: number): Promise<ProviderCapabilities[]> {
  const providers = [...workers.plugins.values()].filter((plugin) => plugin.who.role === "provider");
  const volumes = mountedVolumes();
  return Promise.all(
    providers.map(async ({ who, manifest }): Promise<ProviderCapabilities> => {
      const found: ProviderCapabilities = { who, offers: [], volumes: [], refused: [] };
      try {
        const session = await workers.session(who.instance);
        if (!isProvider(session)) return found;
        found.offers.push(...optional.filter((op) => session.offers(op)));
        for (const volume of volumes.filter((one) => captures(manifest, one))) {
          const { mountPoint } = volume;
          try {
            const qualities = await session.call("match", [volume], limitMs);
            if (qualities !== null) found.volumes.push({ mountPoint, qualities });
          } catch (error) {
            found.refused.push({ mountPoint, error: toFault(error) });
          }
        }
        return found;
      } catch (error) {
        return { ...found, error: toFault(error) };
      }
    }),
  );
}

/** A file may be mounted onto another one, and is not a target. */
const mountedVolumes = (): FileSystemVolume[] =>
  deviceMounts()
    .filter(({ mountPoint }) => statSync(mountPoint, { throwIfNoEntry: false })?.isDirectory() === true)
    .flatMap(({ mountPoint }) => locate([{ paths: [mountPoint], exclude: [] }]).volumes)
    .filter((volume) => volume.kind !== "block");
