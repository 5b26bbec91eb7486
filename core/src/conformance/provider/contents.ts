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
    title: "The contents are the targets as they were at the cut, without later changes.",
    next: "Take the snapshot in the critical section or in commit, never later. Do not expose parts of the original.",
    needs: ["transaction"],
    async run(stage) {
      const expected = await stage.portraits();
      const act = await stage.upTo("commit");
      try {
        for (const path of stage.paths) disturb(path);
        await stage.do("seal", act);
        await stage.assertContents(act, expected);
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
      "expose returns the same result twice. unexpose may be called twice, and leaves the snapshot and the given folder unchanged.",
    next: "Check whether it is exposed already. If it is not exposed, unexpose succeeds.",
    needs: ["snapshot-is-of-the-cut"],
    async run(stage) {
      const expected = await stage.portraits();
      const act = await stage.upTo("seal");
      for (const snapshot of act.snapshots) {
        const first = await stage.expose(act.session, snapshot);
        const second = await stage.expose(act.session, snapshot);
        if (!isDeepStrictEqual(first, second))
          throw new CheckFailure(`First it returned ${JSON.stringify(first)}, then ${JSON.stringify(second)}.`);
        await stage.unexpose(act.session, snapshot);
        await stage.unexpose(act.session, snapshot);
      }
      await stage.assertContents(act, expected);
      await stage.remove(act);
    },
  },
  {
    name: "scratch-is-thrown-away",
    group,
    title: "What is written to a scratch view is discarded by unexpose.",
    next: "Expose a layer or a second copy, and remove it in unexpose, or return `readOnly: true`. `verify` starts the application there.",
    needs: ["snapshot-is-of-the-cut"],
    async run(stage) {
      const expected = await stage.portraits();
      const act = await stage.upTo("seal");
      for (const snapshot of act.snapshots) {
        const { trees, readOnly } = await stage.expose(act.session, snapshot, "scratch");
        if (!readOnly) for (const tree of trees) disturb(tree.path);
        await stage.unexpose(act.session, snapshot);
      }
      await stage.assertContents(act, expected);
      await stage.remove(act);
      await stage.assertNothingListed(act.session, "remove");
    },
  },
  {
    name: "written-stays-written",
    group,
    title: "What is written to a fork, or to a snapshot that match calls writable, stays when it is exposed again.",
    next: "For a `writable` view, expose the snapshot itself: a writer repairs the snapshot there, and the record then shows it as repaired.",
    needs: ["snapshot-is-of-the-cut"],
    async run(stage) {
      const forks = stage.rig.offered.has("fork");
      if (!forks && !stage.isWritable)
        throw new Skip("match does not promise a writable snapshot, and the plugin has no fork");
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
      if (forks) await stage.assertContents(act, cut);
      for (const path of stage.paths) disturb(path);
      try {
        const blank = await stage.inBlankWorker({ ...act, snapshots: written });
        await stage.assertContents(blank, await stage.portraits());
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
    title: "A new worker lists, exposes, and removes what another one made.",
    next: "Store what you must remember with the snapshot or in ctx.dataDir, never in a variable.",
    needs: ["snapshot-is-of-the-cut"],
    async run(stage) {
      const expected = await stage.portraits();
      const act = await stage.inBlankWorker(await stage.upTo("seal"));
      const listed = await stage.listed(act.session);
      const lost = act.snapshots.filter(({ id }) => !listed.includes(id));
      if (lost.length > 0)
        throw new CheckFailure(`list of a new worker does not have ${lost.map(({ id }) => id).join(", ")}.`);
      await stage.assertContents(act, expected);
      await stage.remove(act);
      await stage.assertNothingListed(act.session, "remove in a blank worker");
    },
  },
  {
    name: "fork",
    group,
    title: "fork makes a second snapshot of the first one, in the same set.",
    next: "Return a snapshot with a new id, and with the first one's id as `of`. list, expose, and remove treat it as any other snapshot.",
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
      if (lost.length > 0) throw new CheckFailure(`list does not have ${lost.map(({ id }) => id).join(", ")}.`);
      await stage.assertContents({ ...act, snapshots: forks }, expected);
      await stage.remove({ ...act, snapshots: [...forks, ...act.snapshots] });
      await stage.assertNothingListed(act.session, "remove of fork and original");
    },
  },
];
