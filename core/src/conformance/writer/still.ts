import { setTimeout as sleep } from "node:timers/promises";
import { isWithin } from "../../os/mounts.js";
import { type ConformanceCheck, CheckFailure, Skip } from "../check.js";
import { entriesOf } from "../../host/manifest/folder.js";
import { news } from "../residue.js";
import type { WriterScenario } from "./stage.js";

/** How many changes are made before the freeze: some may still be on their way to the files. */
const CHANGES = 3;
/** How long the files are watched, ms: applications that write in the background do so about once a second. */
const WATCHED_MS = 2500;

/**
 * For a fuzzy cut the files are copied one after the other: nothing may change in them, unless a redo log repairs that, which is a
 * component with `repair`.
 */
export const stillChecks: readonly ConformanceCheck<WriterScenario>[] = [
  {
    name: "freeze-waits-for-writes",
    group: "A transaction",
    title: "Once freeze for a fuzzy cut has returned, nothing more is written to the component's files.",
    next: "Let freeze wait until everything that the application has accepted is in its files, or declare the component as `point-in-time`, or with `repair`. Name in `exclude` what does not matter, such as a log.",
    needs: ["freeze-holds"],
    async run(stage) {
      const { probe } = stage.rig.fixture;
      const still = stage.components.filter(
        ({ tolerates, repair = "none" }) => tolerates === "fuzzy" && repair === "none",
      );
      if (still.length === 0 || stage.cut !== "fuzzy") throw new Skip("no component is captured file by file");
      const act = await stage.upTo("prepare");
      const changes = probe === undefined ? [] : Array.from({ length: CHANGES }, () => probe);
      for (const change of changes) await stage.rig.probe(change, "free");
      await stage.do("freeze", act);
      const before = await filesOf(still);
      await sleep(Math.min(WATCHED_MS, stage.rig.limit("freeze") / 2));
      const after = await filesOf(still);
      await stage.do("thaw", act);
      const changed = [...news(before, after), ...[...before.keys()].filter((file) => !after.has(file))];
      if (changed.length > 0)
        throw new CheckFailure(`Written after freeze had returned: ${changed.slice(0, 3).join(", ")}.`);
    },
  },
];

/** The state of each file of the components, without what a copy may leave out. */
async function filesOf(components: WriterScenario["components"]): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const { paths, exclude = [] } of components) {
    const out = exclude.map((one) => (one.endsWith("/*") ? one.slice(0, -2) : one));
    for (const folder of paths)
      for (const { file, stats } of await entriesOf(folder))
        if (stats.isFile() && !out.some((one) => isWithin(file, one)))
          files.set(file, `${stats.size} ${stats.mtimeMs}`);
  }
  return files;
}
