import path from "node:path";
import { type Check, Failure, Skip } from "../check.js";
import { isOfOneInstant, type Kind, Load, numbersIn } from "./load.js";
import type { Act, ProviderStage } from "./stage.js";

export const promiseChecks: readonly Check<ProviderStage>[] = [
  {
    name: "keeps-its-promises",
    group: "The picture",
    title: "The picture is of one instant where match promised so, while the targets are written to.",
    next: "Promise `pointInTime` only for a snapshot of the storage, and `atomicGroup` only where all volumes are held together.",
    needs: ["picture-is-of-the-cut"],
    async run(stage) {
      if (!stage.promised.pointInTime) throw new Skip("match promises no picture of one instant");
      const load = await Load.on(stage.paths);
      try {
        const act = await stage.upTo("commit");
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

async function assertOneInstant(act: Act, stage: ProviderStage, folders: readonly string[]): Promise<void> {
  const trees = await treesOf(act, stage);
  const pictures = folders.map((folder) => {
    const target = path.dirname(folder);
    return path.join(trees.get(target) ?? target, path.basename(folder));
  });
  for (const { kind, together } of trialsOf(act, stage)) {
    for (const group of together ? [pictures] : pictures.map((one) => [one])) {
      const numbers = numbersIn(kind, group);
      if (!isOfOneInstant(numbers))
        throw new Failure(
          `A number that was written to ${numbers.length} files in turn is ${numbers.join(", ")} in the picture: of more than one instant.`,
        );
    }
  }
  for (const snapshot of act.snapshots) await stage.conceal(act.session, snapshot);
}

/** Volumes that the kernel holds are flushed together: also what was not synced has one order in all of them. */
function trialsOf({ section }: Act, { promised: { atomicGroup } }: ProviderStage): { kind: Kind; together: boolean }[] {
  return [
    { kind: "size", together: atomicGroup && section.hold.length > 0 },
    { kind: "text", together: atomicGroup },
  ];
}

async function treesOf({ session, snapshots }: Act, stage: ProviderStage): Promise<Map<string, string>> {
  const trees = new Map<string, string>();
  for (const snapshot of snapshots) {
    const exposed = await stage.expose(session, snapshot);
    for (const { original, path: tree } of exposed.trees) trees.set(original, tree);
  }
  return trees;
}
