import { HoldstillError } from "../errors/error.js";
import type { Component, Consistency, Cut } from "../schema/types.js";
import type { Place } from "../storage/volumes.js";
import type { PlannedComponent, PlannedVolume } from "./plan.js";
import type { Taken } from "./select.js";

/** How the volumes will be captured, by the least that their providers can do. */
export function cutOf(volumes: readonly PlannedVolume[]): Cut {
  if (volumes.some((v) => !v.qualities.pointInTime)) return "fuzzy";
  const oneGroup = new Set(volumes.map((v) => v.provider)).size <= 1 && volumes.every((v) => v.qualities.atomicGroup);
  return volumes.length <= 1 || oneGroup ? "atomic" : "per-volume";
}

/** What a picture is worth without the help of an application. */
export function bare(cut: Cut): { consistency: Consistency; why: string } {
  switch (cut) {
    case "atomic":
      return { consistency: "crash", why: "no writer takes part; all of one instant, nothing flushed" };
    case "per-volume":
      return { consistency: "crash", why: "no writer takes part; each volume at an instant of its own" };
    case "fuzzy":
      return { consistency: "none", why: "no writer takes part, and the provider copies while files may change" };
  }
}

/**
 * Brings together what writers tolerate and what providers can do.
 *
 * @throws HoldstillError E_PLAN_INCONSISTENT for a component of a required writer that such a picture is no use to.
 */
export function negotiate(
  { taken, ownerless }: { taken: readonly Taken[]; ownerless: readonly string[] },
  volumes: readonly PlannedVolume[],
  places: readonly Place[],
): PlannedComponent[] {
  const capture = (paths: readonly string[]): { own: PlannedVolume[]; volumes: string[]; cut: Cut } => {
    const ids = new Set(places.filter((place) => paths.includes(place.requested)).map((place) => place.volume));
    const own = volumes.filter(({ volume }) => ids.has(volume.id));
    return { own, volumes: [...ids], cut: cutOf(own) };
  };
  const owned = taken.map(({ writer, component }): PlannedComponent => {
    const { own, ...captured } = capture(component.paths);
    const { cut } = captured;
    const shared = { writer: writer.who.instance, component, ...captured };
    if (component.tolerates === "fuzzy" || cut === "atomic") return { ...shared, promised: "application" };
    const { tolerates } = component;
    const provider = (own.find((v) => !v.qualities.pointInTime) ?? own[0])?.provider ?? "?";
    const mismatch = { writer: writer.who.instance, component: component.name, tolerates, cut, provider };
    if (writer.policy === "required") throw new HoldstillError("E_PLAN_INCONSISTENT", mismatch);
    return {
      ...shared,
      promised: bare(cut).consistency,
      why: `it needs a ${tolerates} picture, and this one is ${cut}`,
    };
  });
  const rest = ownerless.map((one): PlannedComponent => {
    const component: Component = { name: "files", kind: "files", paths: [one], tolerates: "fuzzy" };
    const { volumes: ids, cut } = capture([one]);
    const { consistency, why } = bare(cut);
    return { writer: null, component, volumes: ids, cut, promised: consistency, why };
  });
  return [...owned, ...rest];
}
