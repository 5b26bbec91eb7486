import path from "node:path";
import { type Check, Failure, Skip } from "../check.js";
import { isOfOneInstant, Load } from "./load.js";
import type { Act, ProviderStage } from "./stage.js";

export const promiseChecks: readonly Check<ProviderStage>[] = [
  {
    name: "keeps-its-promises",
    group: "The picture",
    title: "The picture is of one instant where match promised so, while the targets are written to.",
    next: "Promise `pointInTime` only for a snapshot of the storage, and `atomicGroup` only where all volumes are held together.",
    needs: ["picture-is-of-the-cut"],
    async run(stage) {
      const { pointInTime, atomicGroup } = stage.promised;
      if (!pointInTime) throw new Skip("match promises no picture of one instant");
      const load = await Load.on(stage.paths);
      let seen: number[][];
      try {
        const act = await stage.upTo("commit");
        await load.stop();
        await stage.do("seal", act);
        seen = await numbersIn(act, stage, load, atomicGroup ? [load.folders] : load.folders.map((one) => [one]));
        await stage.remove(act);
      } finally {
        await load.stop();
        load.remove();
      }
      const wrong = seen.find((numbers) => !isOfOneInstant(numbers));
      if (wrong === undefined) return;
      throw new Failure(
        `A number that is written to ${wrong.length} files in turn was ${wrong.join(", ")} in the picture: of more than one instant.`,
      );
    },
  },
];

/** The numbers of each group of folders, as the pictures have them. */
async function numbersIn(
  { session, snapshots }: Act,
  stage: ProviderStage,
  load: Load,
  groups: readonly (readonly string[])[],
): Promise<number[][]> {
  const trees = new Map<string, string>();
  for (const snapshot of snapshots) {
    const exposed = await stage.expose(session, snapshot);
    for (const { original, path: tree } of exposed.trees) trees.set(original, tree);
  }
  const pictureOf = (folder: string): string => {
    const target = path.dirname(folder);
    return path.join(trees.get(target) ?? target, path.basename(folder));
  };
  const seen = groups.map((folders) => load.seen(pictureOf, folders));
  for (const snapshot of snapshots) await stage.conceal(session, snapshot);
  return seen;
}
