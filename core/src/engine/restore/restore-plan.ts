import { existsSync, lstatSync } from "node:fs";
import path from "node:path";
import { HoldstillError } from "../../base/errors/error.js";
import type { RecordedComponent, RestorePlan, RestoreStep, SnapshotSet } from "../../base/schema/types.js";
import { refuseLost } from "../sets/lost-snapshots.js";

/**
 * @param names WRITER, WRITER/COMPONENT or a path, as `show` has them; none: everything.
 * @param folder Where to; null: to where it was.
 * @throws HoldstillError E_USAGE for a name that the set does not have, E_RESTORE for a place that nothing can be put to,
 * E_SNAPSHOT_LOST where a snapshot is gone.
 */
export function planRestore(set: SnapshotSet, names: readonly string[], folder: string | null): RestorePlan {
  refuseLost(set);
  for (const name of names) if (!set.components.some((one) => isMeant(one, name))) throw unknown(set, name);
  const chosen = set.components.filter((one) => names.length === 0 || names.some((name) => isMeant(one, name)));
  const steps = chosen.flatMap((one) =>
    one.component.paths.map((original) => stepOf(set, nameOf(one), original, folder)),
  );
  const writers = new Set(chosen.flatMap(({ writer }) => writer ?? []));
  return { set, where: folder === null ? "in-place" : "elsewhere", steps, writers: [...writers] };
}

const nameOf = ({ writer, component }: RecordedComponent): string =>
  writer === null ? component.paths.join(" ") : `${writer}/${component.name}`;

function isMeant(one: RecordedComponent, name: string): boolean {
  return one.writer === name || nameOf(one) === name || (one.writer === null && one.component.paths.includes(name));
}

function unknown(set: SnapshotSet, name: string): HoldstillError {
  const problem = `Set ${set.id} has no component \`${name}\`.`;
  return new HoldstillError("E_USAGE", {
    problem,
    hint: `It has ${set.components.map((one) => nameOf(one)).join(", ")}.`,
  });
}

function stepOf({ id }: SnapshotSet, component: string, original: string, folder: string | null): RestoreStep {
  const to = folder === null ? original : path.join(folder, original);
  const draft = `${to}.restoring-${id}`;
  const before = `${to}.before-${id}`;
  const isThere = existsSync(to);
  const refuse = (reason: string, remedy: string): never => {
    throw new HoldstillError("E_RESTORE", { path: to, reason, remedy });
  };
  if (isThere && folder !== null) refuse("something is there already", "Name an empty folder with --to.");
  if (isThere && isMountPoint(to))
    refuse("it is a mount point", "Restore with --to and copy, or use `holdstill revert`.");
  if (existsSync(before)) refuse(`${before} is what an earlier restore put aside`, "Move it away, or delete it.");
  return { component, original, to, draft, aside: isThere ? before : null };
}

/** Whether it is on another device than the folder around it. A bind mount of the same file system makes rename(2) fail later. */
function isMountPoint(place: string): boolean {
  return lstatSync(place).dev !== lstatSync(path.dirname(place)).dev;
}
