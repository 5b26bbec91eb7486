import { HoldstillError } from "../base/errors/error.js";
import type { Component, Consistency, Cut } from "../base/schema/types.js";
import type { CapturedPlace } from "./locate.js";
import type { PlannedComponent, PlannedVolume } from "./plan.js";
import type { SelectedComponent } from "./select.js";

/** How the volumes will be captured: by the weakest of their providers' qualities. */
export function cutOf(volumes: readonly PlannedVolume[]): Cut {
  if (volumes.some((v) => !v.qualities.pointInTime)) return "fuzzy";
  const oneGroup = new Set(volumes.map((v) => v.provider)).size <= 1 && volumes.every((v) => v.qualities.atomicGroup);
  // Volumes that are held at the same time share one instant, whichever provider takes the snapshot.
  const allHeld = volumes.every((v) => isHeld(v));
  return volumes.length <= 1 || oneGroup || allHeld ? "atomic" : "per-volume";
}

const isHeld = ({ qualities }: PlannedVolume): boolean => (qualities.hold ?? []).length > 0;

/** The consistency of a snapshot without a writer. @param held Whether the kernel holds its volumes while it is taken. */
export function volumeOnly(cut: Cut, held: boolean): { consistency: Consistency; reason: string } {
  if (held && cut !== "fuzzy")
    return { consistency: "filesystem", reason: "no writer takes part; the file systems are flushed and held" };
  switch (cut) {
    case "atomic":
      return { consistency: "crash", reason: "no writer takes part; all of one instant, nothing flushed" };
    case "per-volume":
      return { consistency: "crash", reason: "no writer takes part; each volume has its own instant" };
    case "fuzzy":
      return { consistency: "none", reason: "no writer takes part, and the provider copies while files may change" };
  }
}

interface Captured {
  own: PlannedVolume[];
  volumes: string[];
  cut: Cut;
  held: boolean;
}

/**
 * Compares what writers tolerate with what providers can do.
 *
 * @throws HoldstillError E_PLAN_INCONSISTENT if a component of a required writer does not tolerate the snapshot.
 */
export function negotiate(
  { taken, ownerless }: { taken: readonly SelectedComponent[]; ownerless: readonly string[] },
  volumes: readonly PlannedVolume[],
  places: readonly CapturedPlace[],
): PlannedComponent[] {
  const capture = (paths: readonly string[]): Captured => {
    const ids = new Set(places.filter((place) => paths.includes(place.requested)).map((place) => place.volume));
    const own = volumes.filter(({ volume }) => ids.has(volume.id));
    return { own, volumes: [...ids], cut: cutOf(own), held: own.every((v) => isHeld(v)) };
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
      promised: volumeOnly(cut, captured.held).consistency,
      reason: `it needs a ${tolerates} snapshot, and this one is ${cut}`,
    };
  });
  const rest = ownerless.map((one): PlannedComponent => {
    const component: Component = { name: "files", kind: "files", paths: [one], tolerates: "fuzzy" };
    const { volumes: ids, cut, held } = capture([one]);
    const { consistency, reason } = volumeOnly(cut, held);
    return { writer: null, component, volumes: ids, cut, held, promised: consistency, reason };
  });
  return [...owned, ...rest];
}
