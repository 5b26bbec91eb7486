import type { Who } from "../base/errors/details.js";
import { toFault } from "../base/errors/error.js";
import { isWriter } from "../host/isolation/session.js";
import type { ResolvedPlugin } from "../host/manifest/resolution.js";
import type { Component, Fault } from "../base/schema/types.js";
import type { PluginWorkers } from "../host/plugin-workers.js";

/** A writer that said what it owns. */
export interface PresentWriter {
  who: Who;
  policy: ResolvedPlugin["policy"];
  components: Component[];
}
/** …or why it could not. */
export type IdentifiedWriters = PresentWriter | (Omit<PresentWriter, "components"> & { error: unknown });

/** Asks every writer of the workers, in parallel, what it owns. */
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

export interface LeftOut {
  who: Who;
  error: Fault;
}

/** Those that answered, and the best-effort ones that did not. @throws the error of a required writer. */
export function sortOut(identified: readonly IdentifiedWriters[]): { present: PresentWriter[]; leftOut: LeftOut[] } {
  const present: PresentWriter[] = [];
  const leftOut: LeftOut[] = [];
  for (const writer of identified) {
    if (!("error" in writer)) present.push(writer);
    else if (writer.policy === "required") throw writer.error;
    else leftOut.push({ who: writer.who, error: toFault(writer.error) });
  }
  return { present, leftOut };
}
