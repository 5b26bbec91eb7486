import type { SnapshotSet } from "../schema/types.js";

/** How the applications of a set were frozen, in the words of their writers: no lock, backup mode. Empty: no writer describes it. */
export function freezeMethod({
  components,
  writers,
  cut,
}: Pick<SnapshotSet, "components" | "writers" | "cut">): string {
  const frozen = new Set(writers.filter(({ frozen: time }) => time !== undefined).map(({ by }) => by.instance));
  const methods = components.flatMap(({ writer, component }) =>
    writer !== null && frozen.has(writer) ? (component.method?.[cut] ?? []) : [],
  );
  return [...new Set(methods)].join("; ");
}
