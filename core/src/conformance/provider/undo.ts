import { setTimeout as sleep } from "node:timers/promises";
import { newSetId } from "../../plan/set-id.js";
import { afterCutOff, type ConformanceCheck, CheckFailure, runObeying } from "../check.js";
import { type ProviderAction, type ProviderScenario, type ProviderStep, providerSteps } from "./stage.js";

const needs = ["transaction"];

export const removeChecks: readonly ConformanceCheck<ProviderScenario>[] = [
  {
    name: "remove-twice",
    group: "Remove",
    title: "remove may be called twice.",
    next: "If the snapshot does not exist, let remove succeed.",
    needs,
    async run(stage) {
      const act = await stage.upTo("seal");
      await stage.remove(act);
      await stage.remove(act);
      await stage.assertNothingListed(act.session, "remove");
    },
  },
  {
    name: "remove-leaves-others-alone",
    group: "Remove",
    title: "remove removes only the one snapshot, and no other of its set or of another set.",
    next: "Remove exactly what the snapshot's id names.",
    needs: ["snapshot-is-of-the-cut"],
    async run(stage) {
      const expected = await stage.portraits();
      const act = await stage.upTo("seal");
      const other = await stage.upTo("seal", act.session);
      const [first, ...rest] = act.snapshots;
      if (first !== undefined) await stage.remove({ ...act, snapshots: [first] });
      await stage.assertContents({ ...act, snapshots: rest }, expected);
      await stage.assertContents(other, expected);
      await stage.remove({ ...act, snapshots: rest });
      await stage.remove(other);
      await stage.assertNothingListed(act.session, "remove");
    },
  },
  {
    name: "unknown-snapshots",
    group: "Remove",
    title: "For a snapshot that never existed, remove and unexpose succeed, and expose fails.",
    next: "Look up the snapshot before you do anything with it.",
    needs,
    async run(stage) {
      const session = await stage.worker();
      const id = newSetId();
      const stranger = {
        id: `${id}.0`,
        setId: id,
        volumeId: stage.volumes[0]?.id ?? "",
        createdAt: new Date().toISOString(),
      };
      await stage.rig.call(session, "unexpose", [stranger]);
      await stage.rig.call(session, "remove", [stranger]);
      const exposed = await stage.expose(session, stranger).catch(() => null);
      if (exposed !== null) throw new CheckFailure(`expose returned ${JSON.stringify(exposed)}.`);
    },
  },
];

export const undoChecks: readonly ConformanceCheck<ProviderScenario>[] = [
  {
    name: "abort-before-anything",
    group: "Abort",
    title: "abort of a transaction that never began succeeds.",
    next: "Find what exists, and undo that: abort may be called after a prepare that never returned.",
    needs,
    async run(stage) {
      await stage.abort(await stage.upTo(null));
    },
  },
  ...providerSteps.map((step): ConformanceCheck<ProviderScenario> => ({
    name: `abort-after-${step}`,
    group: "Abort",
    title: `abort after ${step} removes everything of the transaction, in the same worker and in a new one.`,
    next: "Find what the transaction made in the storage itself, by tx.id.",
    needs,
    async run(stage) {
      const act = await stage.upTo(step);
      await stage.abort(act);
      await stage.assertNothingListed(act.session, `abort after ${step}`);
      const blank = await stage.inBlankWorker(await stage.upTo(step));
      await stage.abort(blank);
      await stage.assertNothingListed(blank.session, `abort after ${step} in a blank worker`);
    },
  })),
  {
    name: "abort-ten-times",
    group: "Abort",
    title: "abort may be called ten times.",
    next: "If everything is undone already, let abort succeed.",
    needs,
    async run(stage) {
      const act = await stage.upTo("commit");
      for (let time = 0; time < 10; time += 1) await stage.abort(act);
      await stage.assertNothingListed(act.session, "abort");
    },
  },
  {
    name: "abort-leaves-others-alone",
    group: "Abort",
    title: "abort of one transaction leaves the snapshots of another.",
    next: "Undo only what is marked with tx.id: `recover` aborts old transactions.",
    needs: ["snapshot-is-of-the-cut"],
    async run(stage) {
      const expected = await stage.portraits();
      const act = await stage.upTo("seal");
      await stage.abort(await stage.upTo("prepare", act.session));
      await stage.assertContents(act, expected);
      await stage.remove(act);
    },
  },
  {
    name: "data-folder-does-not-grow",
    group: "Abort",
    title: "Aborted transactions leave nothing in the data folder.",
    next: "Let abort remove what the transaction wrote there.",
    needs,
    async run(stage) {
      const undone = async (): Promise<number> => {
        await stage.abort(await stage.upTo("commit"));
        return stage.rig.dataSize();
      };
      const [first, second] = [await undone(), await undone()];
      if (second <= first) return;
      const third = await undone();
      if (second < third)
        throw new CheckFailure(`Each aborted transaction leaves more in it: ${first}, ${second}, ${third} entries.`);
    },
  },
  ...providerSteps.map((step): ConformanceCheck<ProviderScenario> => ({
    name: `${step}-obeys-the-signal`,
    group: "Signals",
    title: `${step} stops when ctx.signal fires, and abort then undoes it.`,
    next: "Pass ctx.signal to everything that waits, and end the call when it fires. Otherwise the worker is killed after 250 ms.",
    needs,
    async run(stage) {
      for (const delayMs of delaysOf(step, stage)) {
        let act: ProviderAction | null = null;
        await runObeying(step, async () => {
          if (act !== null) await stage.cleanUp();
          const cut = await stage.upTo(providerSteps[providerSteps.indexOf(step) - 1] ?? null);
          act = cut;
          const call = stage.do(step, cut).catch(() => {});
          await sleep(delayMs);
          cut.session.cancel();
          await call;
          // It must still respond: the host kills a worker that does not stop.
          await stage.rig.call(cut.session, "list", []);
          await afterCutOff(async () => {
            await stage.abort(cut);
            await stage.assertNothingListed(cut.session, `${step} was cut off and abort`);
          });
        });
        await stage.rig.closeAll();
      }
    },
  })),
];

/** A call that takes less has ended before a signal can be of use, ms. */
const BRIEF_MS = 40;

/** At once, and, of a call that takes its time, soon and in the middle. */
function delaysOf(step: ProviderStep, { took }: ProviderScenario): number[] {
  const ms = took.get(step) ?? 0;
  return ms < BRIEF_MS ? [0] : [0, BRIEF_MS, ms / 2];
}
