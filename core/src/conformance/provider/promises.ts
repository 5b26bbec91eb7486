import path from "node:path";
import { type ConformanceCheck, CheckFailure, Skip } from "../check.js";
import { isOfOneInstant, type Kind, Load, numbersIn } from "./load.js";
import type { ProviderAction, ProviderScenario } from "./stage.js";

export const promiseChecks: readonly ConformanceCheck<ProviderScenario>[] = [
  {
    name: "keeps-its-promises",
    group: "The snapshot",
    title:
      "What match promises to be of one instant is so, while a process writes to the targets: each volume, each group, and what is held.",
    next: "Promise `pointInTime` only for a snapshot of the storage, and the same `group` only for volumes that the storage captures at one instant.",
    needs: ["snapshot-is-of-the-cut"],
    async run(stage) {
      if (!stage.qualities.some(({ pointInTime }) => pointInTime))
        throw new Skip("match does not promise a snapshot of one instant");
      const load = await Load.on(stage.paths);
      try {
        const act = await stage.upTo("prepare");
        // Something is written between any two programs, and any two steps of the kernel.
        stage.rig.stretchMs = STRETCH_MS;
        await stage.do("commit", act).finally(() => (stage.rig.stretchMs = 0));
        await load.stop();
        await stage.do("seal", act);
        await assertOneInstant(act, stage, load.folders);
        await stage.remove(act);
      } finally {
        await load.stop();
        load.remove();
      }
    },
  },
];

/** Many times as long as a number takes to reach the last file. */
const STRETCH_MS = 300;

async function assertOneInstant(
  act: ProviderAction,
  stage: ProviderScenario,
  folders: readonly string[],
): Promise<void> {
  const trees = await treesOf(act, stage);
  for (const { what, paths, isFlushed } of promisesOf(stage)) {
    const copies = folders
      .filter((folder) => paths.includes(path.dirname(folder)))
      .map((folder) => path.join(trees.get(path.dirname(folder)) ?? path.dirname(folder), path.basename(folder)));
    assertInOrder(what, "text", copies);
    // What was not synced has one order in all that is flushed together, and else only in each folder.
    for (const one of isFlushed ? [copies] : copies.map((copy) => [copy])) assertInOrder(what, "size", one);
  }
  for (const snapshot of act.snapshots) await stage.unexpose(act.session, snapshot);
}

function assertInOrder(what: string, kind: Kind, copies: readonly string[]): void {
  const numbers = numbersIn(kind, copies);
  if (isOfOneInstant(numbers)) return;
  throw new CheckFailure(
    `A process wrote a number to ${numbers.length} files in turn. In the snapshot of ${what} it is ${numbers.join(", ")}: not of one instant.`,
  );
}

/** Targets that are promised to be of one instant. */
interface Promised {
  what: string;
  paths: readonly string[];
  isFlushed: boolean;
}

/** Each volume by itself, those with the same group key, and those that the kernel holds together. */
function promisesOf({ volumes, qualities }: ProviderScenario): Promised[] {
  const all = volumes.flatMap((volume, at) => {
    const { pointInTime = false, hold = [], group } = qualities[at] ?? {};
    if (volume.kind === "block" || !pointInTime) return [];
    const { mountPoint, paths } = volume;
    return [{ mountPoint, paths, group, isHeld: hold.length > 0 }];
  });
  const of = (what: string, some: typeof all): Promised => ({
    what,
    paths: some.flatMap(({ paths }) => paths),
    isFlushed: some.every(({ isHeld }) => isHeld),
  });
  const groups = new Set(all.flatMap(({ group }) => group ?? []));
  const held = all.filter(({ isHeld }) => isHeld);
  return [
    ...all.map((one) => of(one.mountPoint, [one])),
    ...[...groups].map((key) =>
      of(
        `the group ${key}`,
        all.filter(({ group }) => group === key),
      ),
    ),
    ...(held.length === 0 ? [] : [of("what is held", held)]),
  ];
}

async function treesOf({ session, snapshots }: ProviderAction, stage: ProviderScenario): Promise<Map<string, string>> {
  const trees = new Map<string, string>();
  for (const snapshot of snapshots) {
    const exposed = await stage.expose(session, snapshot);
    for (const { original, path: tree } of exposed.trees) trees.set(original, tree);
  }
  return trees;
}
