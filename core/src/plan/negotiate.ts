import type { Component, Consistency, Cut } from "../schema/types.js";
import type { PlannedVolume } from "./plan.js";

/** How the volumes will be captured, by the least that their providers can do. */
export function cutOf(volumes: readonly PlannedVolume[]): Cut {
  if (volumes.some((v) => !v.qualities.pointInTime)) return "fuzzy";
  const oneGroup = new Set(volumes.map((v) => v.provider)).size <= 1 && volumes.every((v) => v.qualities.atomicGroup);
  return volumes.length <= 1 || oneGroup ? "atomic" : "per-volume";
}

/** Whether a picture made in this way is of use to the component's application. */
export const tolerates = (component: Component, cut: Cut): boolean => component.tolerates === "fuzzy" || cut === "atomic";

/** What a picture is worth without the help of an application. */
export function bare(cut: Cut): { consistency: Consistency; why: string } {
  switch (cut) {
    case "atomic":
      return { consistency: "crash", why: "no writer took part; all of one instant, nothing flushed" };
    case "per-volume":
      return { consistency: "crash", why: "no writer took part; each volume at an instant of its own" };
    case "fuzzy":
      return { consistency: "none", why: "no writer took part, and the provider copies while files may change" };
  }
}
