import type { Settings } from "../../base/config/settings.js";
import { inspectPlugins } from "../../host/manifest/resolve.js";
import type { SuggestedInstance } from "../../host/manifest/suggestion.js";
import { identifyAll } from "../../plan/writers.js";
import { contextOf } from "../context.js";
import { Operation } from "../operation.js";
import { planContext } from "../planning-engine.js";
import type { FoundServer } from "./servers.js";

/** The instance that a manifest suggests for a server that was found. */
export interface SuggestedWriter extends SuggestedInstance {
  readonly found: FoundServer;
  /** Why it can only be written as a comment; null: it can be used. */
  readonly obstacle: string | null;
}

/** Asks the suggested writers what they own. @returns The names of those that could not answer. */
export async function silentWriters(
  settings: Settings,
  pluginPaths: string[],
  suggested: readonly SuggestedWriter[],
): Promise<ReadonlySet<string>> {
  const usable = suggested.filter(({ obstacle }) => obstacle === null);
  const instances = usable.map(({ name, options, found }): Settings["instances"][number] => ({
    name,
    use: { name: found.manifest.name, range: found.manifest.version },
    policy: "required",
    isolation: null,
    freezeMs: null,
    environment: [],
    options,
    place: null,
  }));
  if (instances.length === 0) return new Set();
  const tried = { ...settings, pluginPaths, instances };
  const { plugins } = await inspectPlugins(tried);
  const operation = await Operation.begin(planContext(contextOf(tried, null)), plugins);
  try {
    const identified = await identifyAll(operation.workers, settings.limits.identify);
    const answered = new Set(identified.flatMap((one) => ("error" in one ? [] : [one.who.instance])));
    return new Set(usable.map(({ name }) => name).filter((name) => !answered.has(name)));
  } finally {
    await operation.close();
  }
}
