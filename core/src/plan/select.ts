import path from "node:path";
import { HoldstillError } from "../base/errors/error.js";
import type { Component } from "../base/schema/types.js";
import { isWithin, realPathOf } from "../os/mounts.js";
import type { Target } from "./targets.js";
import type { PresentWriter } from "./writers.js";

/** A component that will be captured, with the writer that owns it. */
export interface SelectedComponent {
  writer: PresentWriter;
  component: Component;
}

/** The paths of the targets: as named, or everything that a named writer owns. Each path once. */
export function pathsOf(targets: readonly Target[], present: readonly PresentWriter[]): string[] {
  const paths = targets.flatMap((target) => {
    if (target.is === "path") return [target.path];
    const writer = present.find((w) => w.who.instance === target.instance);
    return writer?.components.flatMap((component) => component.paths) ?? [];
  });
  return [...new Set(paths.map((one) => path.resolve(one)))];
}

/** The components that are completely in the captured paths. For one that is only partly there, a warning. */
export function selectComponents(
  present: readonly PresentWriter[],
  paths: readonly string[],
): { taken: SelectedComponent[]; warnings: string[] } {
  const captured = paths.map(realPathOf);
  const isCaptured = (one: string): boolean => captured.some((folder) => isWithin(realPathOf(one), folder));
  const touches = (one: string): boolean =>
    isCaptured(one) || captured.some((folder) => isWithin(folder, realPathOf(one)));
  const taken: SelectedComponent[] = [];
  const warnings: string[] = [];
  for (const writer of present) {
    for (const component of writer.components) {
      const missing = component.paths.filter((one) => !isCaptured(one));
      if (missing.length === 0) taken.push({ writer, component });
      else if (component.paths.some(touches)) {
        const name = `${component.name} of writer ${writer.who.instance}`;
        warnings.push(
          `Component ${name} is only partly among the targets, so it takes no part; add ${missing.join(", ")}.`,
        );
      }
    }
  }
  return { taken, warnings };
}

/** The captured paths that are not of a component: no writer freezes what is in them. */
export function ownerless(paths: readonly string[], taken: readonly SelectedComponent[]): string[] {
  const owned = new Set(taken.flatMap(({ component }) => component.paths.map(realPathOf)));
  return paths.filter((one) => !owned.has(realPathOf(one)));
}

/**
 * A database has one server, and one writer for it. Two that report the same one are connected to the same server, and the other server
 * would be in no snapshot.
 *
 * @throws HoldstillError E_WRITERS_SHARE
 */
export function refuseShared(present: readonly PresentWriter[], taken: readonly SelectedComponent[]): void {
  const owners = new Map<string, string[]>();
  for (const { who, components } of present) {
    const owned = components.flatMap(({ kind, paths }) => (kind === "database" ? paths.map(realPathOf) : []));
    for (const one of new Set(owned)) owners.set(one, [...(owners.get(one) ?? []), who.instance]);
  }
  for (const { writer, component } of taken) {
    for (const one of component.kind === "database" ? component.paths : []) {
      const other = owners.get(realPathOf(one))?.find((instance) => instance !== writer.who.instance);
      if (other !== undefined)
        throw new HoldstillError("E_WRITERS_SHARE", { path: one, writers: [writer.who.instance, other] });
    }
  }
}
