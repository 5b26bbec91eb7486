import { constants } from "node:os";
import { volumeName } from "../base/display/volume-name.js";
import { HoldstillError, isHoldstillError, toFault } from "../base/errors/error.js";
import { isProvider } from "../host/isolation/session.js";
import { assertNotFrozen } from "../os/exec/frozen.js";
import type { PluginManifest, Volume } from "../base/schema/types.js";
import type { PluginWorkers } from "../host/plugin-workers.js";
import type { PlannedVolume } from "./plan.js";

/** A provider for each volume, and the providers that were left out because they failed. */
export interface Matched {
  readonly volumes: PlannedVolume[];
  /** By the name of the instance. */
  readonly failed: ReadonlyMap<string, HoldstillError>;
}

/**
 * Finds a provider for each volume: the first one in the order of the config that can capture it. A provider that fails is left out,
 * as its storage may have nothing to do with these volumes. A provider is asked only for volumes of a kind that its manifest names.
 *
 * @throws HoldstillError E_NO_PROVIDER, E_FROZEN, E_VOLUME_REFUSED, E_CANCELLED
 */
export async function matchAll(workers: PluginWorkers, volumes: readonly Volume[], limitMs: number): Promise<Matched> {
  const providers = [...workers.plugins.values()].filter((plugin) => plugin.who.role === "provider");
  const failed = new Map<string, HoldstillError>();
  const matched = await Promise.all(
    volumes.map(async (volume) => {
      await assertNotFrozen(volume);
      const able = providers.filter(({ manifest }) => captures(manifest, volume)).map(({ who }) => who);
      for (const { instance } of able) {
        if (failed.has(instance)) continue;
        try {
          const session = await workers.session(instance);
          if (!isProvider(session)) continue;
          const qualities = await session.call("match", [volume], limitMs);
          if (qualities !== null) return { volume, provider: instance, qualities };
        } catch (error) {
          failed.set(instance, failureOf(error, volume));
        }
      }
      throw new HoldstillError("E_NO_PROVIDER", {
        volume: volume.id,
        paths: volume.paths,
        asked: able.map((who) => `${who.instance} (${who.plugin} ${who.version})`),
        failed: [...failed.values()].map((error) => toFault(error)),
      });
    }),
  );
  return { volumes: matched, failed };
}

/** A provider that does not name the kinds is made for file systems alone. */
export const captures = ({ volumes = ["filesystem"] }: PluginManifest, { kind = "filesystem" }: Volume): boolean =>
  volumes.includes(kind);

const notFailures: ReadonlySet<string> = new Set(["E_VOLUME_REFUSED", "E_CANCELLED"]);

/** The failure of a provider. @throws what is not one: its refusal, or the end of the request. */
function failureOf(error: unknown, volume: Volume): HoldstillError {
  const refusal = asRefusal(error, volume);
  if (!isHoldstillError(refusal) || notFailures.has(refusal.code) || !("who" in refusal.details)) throw refusal;
  return refusal;
}

/**
 * A provider refuses a volume with an error that has a code of its own. Nothing was touched. Any other error is a fault of the
 * provider, also one with the code of a system call, such as ECONNREFUSED.
 */
function asRefusal(error: unknown, volume: Volume): unknown {
  if (!(error instanceof HoldstillError) || error.code !== "E_PLUGIN_FAILED") return error;
  const { who, reason, pluginCode, pluginHint } = (error as HoldstillError<"E_PLUGIN_FAILED">).details;
  if (pluginCode === undefined || pluginCode in constants.errno) return error;
  const hint = pluginHint === undefined ? {} : { pluginHint };
  return new HoldstillError(
    "E_VOLUME_REFUSED",
    { who, volume: volumeName(volume), reason, pluginCode, ...hint },
    { cause: error },
  );
}
