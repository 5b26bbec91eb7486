import { createHash } from "node:crypto";
import path from "node:path";
import { HoldstillError } from "../../base/errors/error.js";
import type {
  RecordedComponent,
  RestoreContents,
  RestorePlan,
  RestoreStep,
  SnapshotSet,
} from "../../base/schema/types.js";
import { isWithin, readMounts } from "../../os/mounts.js";
import { refuseLost } from "../sets/lost-snapshots.js";
import { linkedTo, lookAt, refuseUnmounted, restoreRefusal } from "./restore-place.js";

/**
 * @param names WRITER, WRITER/COMPONENT or a path, as `show` has them; none: everything.
 * @param folder Where to; null: to where it was.
 * @param contents Of a snapshot that was repaired: what the writer made of it, or what was cut.
 * @throws HoldstillError E_USAGE for a name that the set does not have, E_RESTORE for a place that nothing can be put to,
 * E_SNAPSHOT_LOST where a snapshot is gone, E_PATH_UNSAFE, E_PATH_FAILED
 */
export function planRestore(
  set: SnapshotSet,
  names: readonly string[],
  folder: string | null,
  contents: RestoreContents = "repaired",
): RestorePlan {
  refuseLost(set);
  for (const name of names) if (!set.components.some((one) => isMeant(one, name))) throw unknown(set, name);
  const chosen = set.components.filter((one) => names.length === 0 || names.some((name) => isMeant(one, name)));
  const sources = outermostFirst(
    chosen.flatMap((one) => one.component.paths.map((original) => ({ component: nameOf(one), original }))),
    set,
  );
  for (const { original } of sources) refuseRaw(original, set);
  if (folder === null) {
    const mounts = readMounts();
    for (const { original } of sources) refuseUnmounted(original, mountPointOf(original, set), mounts);
  }
  const steps: RestoreStep[] = [];
  for (const source of sources) steps.push(stepOf(set, source, steps, folder));
  const writers = new Set(chosen.flatMap(({ writer }) => writer ?? []));
  return { set, where: folder === null ? "in-place" : "elsewhere", contents, steps, writers: [...writers] };
}

const nameOf = ({ writer, component }: RecordedComponent): string =>
  writer === null ? component.paths.join(" ") : `${writer}/${component.name}`;

function isMeant(one: RecordedComponent, name: string): boolean {
  return one.writer === name || nameOf(one) === name || (one.writer === null && one.component.paths.includes(name));
}

function unknown(set: SnapshotSet, name: string): HoldstillError {
  const problem = `Set ${set.id} has no component \`${name}\`.`;
  const has = `It has ${set.components.map((one) => nameOf(one)).join(", ")}.`;
  const isPart = set.components.some(({ component }) =>
    component.paths.some((one) => isWithin(path.resolve(name), one)),
  );
  const hint = isPart ? `${has} To get back a part of it, run \`holdstill expose ${set.id}\`, and copy.` : has;
  return new HoldstillError("E_USAGE", { problem, hint });
}

/** A raw device has no files to put beside others: a copy over it would leave neither its contents nor the snapshot's if it failed. */
function refuseRaw(original: string, { id, volumes }: SnapshotSet): void {
  if (!volumes.some(({ kind, paths }) => kind === "block" && paths.some((one) => one === original))) return;
  const remedy = `Put back the whole set: holdstill revert ${id}. Or copy the device yourself from where \`holdstill expose ${id}\` shows it.`;
  restoreRefusal(original)("it is a raw device, and restore copies files", remedy);
}

/** Of the file system that the data was on. */
function mountPointOf(original: string, { volumes }: SnapshotSet): string {
  const points = volumes.flatMap((volume) =>
    volume.kind !== "block" && volume.paths.some((one) => isWithin(original, one)) ? [volume.mountPoint] : [],
  );
  return points.toSorted((a, b) => b.length - a.length)[0] ?? "/";
}

type Source = Pick<RestoreStep, "component" | "original">;

/** Without what is a part of another path in the same snapshot: it is restored with that. */
function outermostFirst(sources: readonly Source[], { volumes }: SnapshotSet): Source[] {
  const captured = volumes.flatMap(({ paths }) => paths);
  const snapshotOf = (original: string): string | undefined =>
    captured.filter((one) => isWithin(original, one)).toSorted((a, b) => b.length - a.length)[0];
  const kept: Source[] = [];
  const all = sources
    .map((one) => ({ ...one, original: capturedAs(path.resolve(one.original), captured) }))
    .toSorted((a, b) => a.original.length - b.original.length);
  for (const one of all) {
    const isPart = kept.some(
      ({ original }) => isWithin(one.original, original) && snapshotOf(one.original) === snapshotOf(original),
    );
    if (!isPart) kept.push(one);
  }
  return kept;
}

/** A writer may name its folder by a link; what was captured is what the link leads to. */
function capturedAs(named: string, captured: readonly string[]): string {
  const isCaptured = (one: string): boolean => captured.some((folder) => isWithin(one, folder));
  if (isCaptured(named)) return named;
  const real = linkedTo(named);
  return real !== null && isCaptured(real) ? real : named;
}

/** @param outer The steps before it. What lies in one of them is put into its copy, and takes its place with that. */
function stepOf(
  { id }: SnapshotSet,
  { component, original }: Source,
  outer: readonly RestoreStep[],
  folder: string | null,
): RestoreStep {
  const to = folder === null ? original : path.join(folder, original);
  const around = outer.findLast((one) => isWithin(to, one.to));
  if (around !== undefined)
    return { component, original, to, draft: path.join(around.draft, path.relative(around.to, to)), aside: null };
  const asideName = nameBefore(path.basename(to), id);
  const state = lookAt(to, asideName);
  if (state === "taken" && folder !== null)
    restoreRefusal(to)("something is there already", "Name an empty folder with --to.");
  const draft = path.join(path.dirname(to), `.restoring-${id}-${outer.length}`, "copy");
  return { component, original, to, draft, aside: state === "taken" ? path.join(path.dirname(to), asideName) : null };
}

/** NAME_MAX of Linux, bytes. */
const LONGEST = 255;

/** A name that is too long with the suffix is cut, and stays another one than its neighbours. */
function nameBefore(name: string, id: string): string {
  const suffix = `.before-${id}`;
  if (Buffer.byteLength(name + suffix) <= LONGEST) return name + suffix;
  const digest = createHash("sha256").update(name).digest("hex").slice(0, 8);
  let kept = name;
  while (Buffer.byteLength(`${kept}~${digest}${suffix}`) > LONGEST) kept = Array.from(kept).slice(0, -1).join("");
  return `${kept}~${digest}${suffix}`;
}
