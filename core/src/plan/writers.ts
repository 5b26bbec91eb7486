import type { Who } from "../base/errors/details.js";
import { toFault } from "../base/errors/error.js";
import { isWriter } from "../host/isolation/session.js";
import type { ResolvedPlugin } from "../host/manifest/resolution.js";
import type { Component, LeftOutWriter } from "../base/schema/types.js";
import type { Target } from "./targets.js";
import type { PluginWorkers } from "../host/plugin-workers.js";

/** A writer with the components that it returned. */
export interface PresentWriter {
  who: Who;
  policy: ResolvedPlugin["policy"];
  components: Component[];
}
/** That, or the error of its identify. */
export type IdentifiedWriters = PresentWriter | (Omit<PresentWriter, "components"> & { error: unknown });

/** Calls identify of every writer, in parallel. */
export function identifyAll(workers: PluginWorkers, limitMs: number): Promise<IdentifiedWriters[]> {
  const writers = [...workers.plugins.values()].filter((plugin) => plugin.who.role === "writer");
  return Promise.all(
    writers.map(async ({ who, policy }) => {
      try {
        const session = await workers.session(who.instance);
        if (!isWriter(session)) throw new Error(`${who.instance} is not a writer`);
        return { who, policy, components: await session.call("identify", [], limitMs) };
      } catch (error) {
        return { who, policy, error };
      }
    }),
  );
}

/**
 * The writers that returned components, and those that failed. A required writer may not be one of the latter if it is a target, or if
 * it might own data below a target.
 *
 * @throws the error of such a writer.
 */
export function sortOut(
  identified: readonly IdentifiedWriters[],
  targets: readonly Target[],
): {
  present: PresentWriter[];
  leftOut: LeftOutWriter[];
} {
  const present: PresentWriter[] = [];
  const leftOut: LeftOutWriter[] = [];
  for (const writer of identified) {
    if (!("error" in writer)) present.push(writer);
    else if (writer.policy === "required" && targets.some((target) => concerns(target, writer.who))) throw writer.error;
    else leftOut.push({ who: writer.who, policy: writer.policy, error: toFault(writer.error) });
  }
  return { present, leftOut };
}

/** What a writer owns that could not say so may lie below any path. */
const concerns = (target: Target, { instance }: Who): boolean => target.is === "path" || target.instance === instance;
