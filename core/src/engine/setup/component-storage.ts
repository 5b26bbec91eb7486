import type { LimitsMs } from "../../base/config/settings.js";
import type { Component, DoctorCheck } from "../../base/schema/types.js";
import type { Usable } from "../../host/manifest/judge.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import { inWords } from "../../base/display/in-words.js";
import { locate } from "../../plan/locate.js";
import { matchAll } from "../../plan/match.js";
import { cutOf } from "../../plan/negotiate.js";
import type { IdentifiedWriters, PresentWriter } from "../../plan/writers.js";

/** Where the storage below a writer's data cannot do what the writer needs, or does it at a price; and what would do it. */
export async function componentStorage(
  identified: readonly IdentifiedWriters[],
  workers: PluginWorkers,
  limits: LimitsMs,
  usable: readonly Usable[],
): Promise<DoctorCheck[]> {
  const present = identified.filter((one): one is PresentWriter => !("error" in one));
  const pairs = present.flatMap((writer) => writer.components.map((component) => ({ writer, component })));
  const remedy = remedyOf(usable);
  const checks = await Promise.all(
    pairs.map(async ({ writer, component }): Promise<DoctorCheck[]> => {
      try {
        const { volumes } = locate([{ paths: component.paths, exclude: component.exclude ?? [] }]);
        const { volumes: matched } = await matchAll(workers, volumes, limits.identify);
        const weak = matched.find(({ qualities }) => !qualities.pointInTime);
        if (cutOf(matched) === "atomic") return [];
        const provider =
          weak === undefined ? "no common instant" : `${weak.provider}, ${weak.qualities.method ?? "copy"}`;
        return [{ about: "servers", ...verdictOn(writer, component, provider), remedy }];
      } catch {
        // The checks of the volumes report it.
        return [];
      }
    }),
  );
  return checks.flat();
}

function verdictOn(
  { who, policy }: PresentWriter,
  { name, paths, tolerates }: Component,
  provider: string,
): Pick<DoctorCheck, "state" | "found" | "means"> {
  const found = `${who.instance}/${name} in ${paths[0]}: ${provider}`;
  if (tolerates === "fuzzy")
    return {
      state: "note",
      found,
      means: "each snapshot is made file by file while the application runs, and takes as long",
    };
  const means =
    policy === "required"
      ? "the writer needs a snapshot of one instant: every plan with it is refused"
      : "the writer needs a snapshot of one instant: a copy made here is worth nothing, and is refused if the writer is a target";
  return { state: "bad", found, means };
}

/** The storage of which installed providers can take snapshots of one instant, in the words of their manifests. */
function remedyOf(usable: readonly Usable[]): string {
  const able = usable
    .map(({ read }) => read.manifest)
    .filter(({ kind, fallback, detects = [] }) => kind === "provider" && fallback !== true && detects.length > 0)
    .map(({ name, detects = [] }) => `${detects.map(({ title }) => title).join(" or ")} (${name})`);
  if (able.length === 0) return "Install a provider that takes snapshots of one instant.";
  return `Move the data to ${inWords([...new Set(able)])}. The README of each provider has the steps.`;
}
