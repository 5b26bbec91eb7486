import { isDeepStrictEqual } from "node:util";
import { type ConformanceCheck, CheckFailure, Skip } from "../check.js";
import { disturb, furnish } from "../tree.js";
import type { Snapshot } from "../../base/schema/types.js";
import type { ProviderScenario } from "./stage.js";

const group = "The snapshot";

export const snapshotChecks: readonly ConformanceCheck<ProviderScenario>[] = [
  {
    name: "snapshot-is-of-the-cut",
    group,
    title: "The snapshot shows the targets as they were at the cut, whatever was changed since.",
    next: "Take the snapshot in the critical section or in commit, never later, and expose nothing of the original.",
    needs: ["transaction"],
    async run(stage) {
      const expected = await stage.portraits();
      const act = await stage.upTo("commit");
      try {
        for (const path of stage.paths) disturb(path);
        await stage.do("seal", act);
        await stage.assertPictures(act, expected);
      } finally {
        for (const path of stage.paths) furnish(path);
      }
      await stage.remove(act);
    },
  },
  {
    name: "expose-and-unexpose-twice",
    group,
    title:
      "expose twice answers the same; unexpose twice is as once, and leaves the snapshot and the given folder as they were.",
    next: "Look whether it is exposed already; what is unexposed already is a success.",
    needs: ["snapshot-is-of-the-cut"],
    async run(stage) {
      const expected = await stage.portraits();
      const act = await stage.upTo("seal");
      for (const snapshot of act.snapshots) {
        const first = await stage.expose(act.session, snapshot);
        const second = await stage.expose(act.session, snapshot);
        if (!isDeepStrictEqual(first, second))
          throw new CheckFailure(`First it answered ${JSON.stringify(first)}, then ${JSON.stringify(second)}.`);
        await stage.unexpose(act.session, snapshot);
        await stage.unexpose(act.session, snapshot);
      }
      await stage.assertPictures(act, expected);
      await stage.remove(act);
    },
  },
  {
    name: "scratch-is-thrown-away",
    group,
    title: "What is written into a snapshot that was exposed as scratch is gone once it is unexposed.",
    next: "Show a layer or a second copy, and remove it in unexpose; or answer `readOnly: true`. `verify` starts the application there.",
    needs: ["snapshot-is-of-the-cut"],
    async run(stage) {
      const expected = await stage.portraits();
      const act = await stage.upTo("seal");
      for (const snapshot of act.snapshots) {
        const { trees, readOnly } = await stage.expose(act.session, snapshot, "scratch");
        if (!readOnly) for (const tree of trees) disturb(tree.path);
        await stage.unexpose(act.session, snapshot);
      }
      await stage.assertPictures(act, expected);
      await stage.remove(act);
      await stage.assertNothingListed(act.session, "remove");
    },
  },
  {
    name: "written-stays-written",
    group,
    title:
      "What is written into a fork, or into a snapshot that match calls writable, is there when it is exposed again.",
    next: "Show the snapshot itself where `writable` is asked for: a writer repairs the snapshot there, and the record says that it is repaired.",
    needs: ["snapshot-is-of-the-cut"],
    async run(stage) {
      const forks = stage.rig.offered.has("fork");
      if (!forks && !stage.promised.writable)
        throw new Skip("match promises no writable snapshot, and there is no fork");
      const cut = await stage.portraits();
      const act = await stage.upTo("seal");
      const written: Snapshot[] = [];
      for (const snapshot of act.snapshots) {
        const one = forks ? await stage.rig.call(act.session, "fork", [snapshot]) : snapshot;
        const { trees, readOnly } = await stage.expose(act.session, one, "writable");
        if (readOnly) throw new CheckFailure(`${one.id} is exposed read-only.`);
        for (const tree of trees) disturb(tree.path);
        await stage.unexpose(act.session, one);
        written.push(one);
      }
      if (forks) await stage.assertPictures(act, cut);
      for (const path of stage.paths) disturb(path);
      try {
        const blank = await stage.inBlankWorker({ ...act, snapshots: written });
        await stage.assertPictures(blank, await stage.portraits());
        await stage.remove({ ...blank, snapshots: forks ? [...written, ...act.snapshots] : written });
        await stage.assertNothingListed(blank.session, "remove");
      } finally {
        for (const path of stage.paths) furnish(path);
      }
    },
  },
  {
    name: "outlives-its-worker",
    group,
    title: "A blank worker lists, exposes and removes what another one made.",
    next: "Keep what you must know with the snapshot or in ctx.dataDir, never in a variable.",
    needs: ["snapshot-is-of-the-cut"],
    async run(stage) {
      const expected = await stage.portraits();
      const act = await stage.inBlankWorker(await stage.upTo("seal"));
      const listed = await stage.listed(act.session);
      const lost = act.snapshots.filter(({ id }) => !listed.includes(id));
      if (lost.length > 0)
        throw new CheckFailure(`list of a blank worker lacks ${lost.map(({ id }) => id).join(", ")}.`);
      await stage.assertPictures(act, expected);
      await stage.remove(act);
      await stage.assertNothingListed(act.session, "remove in a blank worker");
    },
  },
  {
    name: "fork",
    group,
    title: "fork makes a second snapshot, of the first and in its set.",
    next: "Answer a snapshot with an id of its own and the first one's id as `of`; list, expose and remove treat it as any other.",
    needs: ["snapshot-is-of-the-cut"],
    async run(stage) {
      if (!stage.rig.offered.has("fork")) throw new Skip("the plugin has no fork");
      const expected = await stage.portraits();
      const act = await stage.upTo("seal");
      const forks = [];
      for (const snapshot of act.snapshots) {
        const fork = await stage.rig.call(act.session, "fork", [snapshot]);
        if (fork.of !== snapshot.id || fork.setId !== snapshot.setId || fork.id === snapshot.id)
          throw new CheckFailure(`The fork of ${snapshot.id} is ${JSON.stringify(fork)}.`);
        forks.push(fork);
      }
      const listed = await stage.listed(act.session);
      const lost = forks.filter(({ id }) => !listed.includes(id));
      if (lost.length > 0) throw new CheckFailure(`list lacks ${lost.map(({ id }) => id).join(", ")}.`);
      await stage.assertPictures({ ...act, snapshots: forks }, expected);
      await stage.remove({ ...act, snapshots: [...forks, ...act.snapshots] });
      await stage.assertNothingListed(act.session, "remove of fork and original");
    },
  },
];
