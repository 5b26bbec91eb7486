import { HoldstillError } from "../base/errors/error.js";
import type { Component, Consistency, Cut } from "../base/schema/types.js";
import type { CapturedPlace } from "./locate.js";
import type { PlannedComponent, PlannedVolume } from "./plan.js";
import type { SelectedComponent } from "./select.js";

/** How the volumes will be captured: by the weakest of their providers' qualities. */
export function cutOf(volumes: readonly PlannedVolume[]): Cut {
  if (volumes.some((v) => !v.qualities.pointInTime)) return "fuzzy";
  const groups = new Set(volumes.map((v) => groupOf(v)));
  // Volumes that are held at the same time share one instant, whichever provider takes the snapshot.
  return groups.size <= 1 || volumes.every((v) => isHeld(v)) ? "atomic" : "per-volume";
}

/** What the volume shares its instant with: a key is the instance's own. */
const groupOf = ({ volume, provider, qualities: { group } }: PlannedVolume): string =>
  JSON.stringify(group === undefined ? [volume.id] : [provider, group]);

const isHeld = ({ qualities }: PlannedVolume): boolean => (qualities.hold ?? []).length > 0;

/** Whether the file system is flushed for the snapshot: by the hold, or by the storage itself. Of what is on a raw device, nothing is known. */
const isFlushed = (planned: PlannedVolume): boolean =>
  planned.volume.kind !== "block" && (isHeld(planned) || planned.qualities.consistency === "filesystem");

/** The consistency of a snapshot of these volumes without a writer. */
export function volumeOnly(volumes: readonly PlannedVolume[]): { consistency: Consistency; reason: string } {
  const cut = cutOf(volumes);
  if (cut !== "fuzzy" && volumes.every((v) => isFlushed(v)))
    return { consistency: "filesystem", reason: "no writer takes part; the file systems are flushed" };
  switch (cut) {
    case "atomic":
      return { consistency: "crash", reason: "no writer takes part; all of one instant, nothing flushed" };
    case "per-volume":
      return { consistency: "crash", reason: "no writer takes part; each volume has its own instant" };
    case "fuzzy":
      return { consistency: "none", reason: "no writer takes part, and the provider copies while files may change" };
  }
}

/** Whether freezing the application makes such a snapshot of the component usable. */
export const isTolerated = ({ tolerates }: Component, cut: Cut): boolean => tolerates === "fuzzy" || cut === "atomic";

interface Captured {
  own: PlannedVolume[];
  volumes: string[];
  cut: Cut;
  withoutWriter: Consistency;
  /** Why it is not `application`. */
  unattended: string;
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
    const { consistency, reason } = volumeOnly(own);
    return { own, volumes: [...ids], cut: cutOf(own), withoutWriter: consistency, unattended: reason };
  };
  const owned = taken.map(({ writer, component }): PlannedComponent => {
    const { own, unattended: _, ...captured } = capture(component.paths);
    const { cut, withoutWriter } = captured;
    const shared = { writer: writer.who.instance, component, ...captured };
    const { tolerates, notCovered } = component;
    if (isTolerated(component, cut)) {
      return notCovered === undefined
        ? { ...shared, promised: "application" }
        : { ...shared, promised: withoutWriter, reason: notCovered };
    }
    const provider = (own.find((v) => !v.qualities.pointInTime) ?? own[0])?.provider ?? "?";
    const remedy = component.method?.[cut];
    const known = { writer: writer.who.instance, component: component.name, tolerates, cut, provider };
    const mismatch = remedy === undefined ? known : { ...known, remedy };
    if (writer.policy === "required") throw new HoldstillError("E_PLAN_INCONSISTENT", mismatch);
    return {
      ...shared,
      promised: withoutWriter,
      reason: `it needs a ${tolerates} snapshot, and this one is ${cut}${remedy === undefined ? "" : `; ${remedy}`}`,
    };
  });
  const rest = ownerless.map((one): PlannedComponent => {
    // Where it really is: a link that was named may be gone when it is restored.
    const original = places.find(({ requested }) => requested === one)?.original ?? one;
    const { own, unattended: reason, ...captured } = capture([one]);
    const kind = own.some(({ volume }) => volume.kind === "block") ? "device" : "files";
    const component: Component = { name: kind, kind, paths: [original], tolerates: "fuzzy" };
    return { writer: null, component, ...captured, promised: captured.withoutWriter, reason };
  });
  return [...owned, ...rest];
}
