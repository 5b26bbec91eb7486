import path from "node:path";
import { type ConformanceCheck, CheckFailure, Skip } from "../check.js";
import { isOfOneInstant, type Kind, Load, numbersIn } from "./load.js";
import type { ProviderAction, ProviderScenario } from "./stage.js";

export const promiseChecks: readonly ConformanceCheck<ProviderScenario>[] = [
  {
    name: "keeps-its-promises",
    group: "The snapshot",
    title: "If match promises it, the snapshot is of one instant, while a process writes to the targets.",
    next: "Promise `pointInTime` only for a snapshot of the storage, and the same `group` only for volumes that the storage captures at one instant.",
    needs: ["snapshot-is-of-the-cut"],
    async run(stage) {
      if (!stage.promised.pointInTime) throw new Skip("match does not promise a snapshot of one instant");
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
  const copies = folders.map((folder) => {
    const target = path.dirname(folder);
    return path.join(trees.get(target) ?? target, path.basename(folder));
  });
  for (const { kind, together } of trialsOf(act, stage)) {
    for (const group of together ? [copies] : copies.map((one) => [one])) {
      const numbers = numbersIn(kind, group);
      if (!isOfOneInstant(numbers))
        throw new CheckFailure(
          `A process wrote a number to ${numbers.length} files in turn. In the snapshot it is ${numbers.join(", ")}: not of one instant.`,
        );
    }
  }
  for (const snapshot of act.snapshots) await stage.unexpose(act.session, snapshot);
}

/** Volumes that the kernel holds are flushed together: also what was not synced has one order in all of them. */
function trialsOf({ section }: ProviderAction, { cut }: ProviderScenario): { kind: Kind; together: boolean }[] {
  return [
    { kind: "size", together: cut === "atomic" && section.hold.length > 0 },
    { kind: "text", together: cut === "atomic" },
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
