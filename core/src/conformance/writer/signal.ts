import { setTimeout as sleep } from "node:timers/promises";
import { afterCutOff, type ConformanceCheck, runObeying, Skip } from "../check.js";
import { type WriterAction, writerSteps, type WriterScenario } from "./stage.js";

const group = "Signals";

/** A call that takes less has ended before a signal can be of use, ms. */
const BRIEF_MS = 40;

export const signalChecks: readonly ConformanceCheck<WriterScenario>[] = writerSteps.map((step) => ({
  name: `${step}-obeys-the-signal`,
  group,
  title: `${step} stops when ctx.signal fires, and abort then undoes it.`,
  next: "Pass ctx.signal to everything that waits, and end the call when it fires. Otherwise the worker is killed after 250 ms.",
  needs: ["transaction"],
  async run(stage) {
    if ((step === "prepare" || step === "seal") && !stage.rig.offered.has(step))
      throw new Skip(`the plugin has no ${step}`);
    const before = writerSteps[writerSteps.indexOf(step) - 1] ?? null;
    for (const delayMs of delaysOf(step, stage)) {
      let act: WriterAction | null = null;
      await runObeying(step, async () => {
        if (act !== null) await stage.cleanUp();
        const cut = await stage.upTo(before);
        act = cut;
        const call = stage.do(step, cut).catch(() => {});
        await sleep(delayMs);
        cut.session.cancel();
        await call;
        // It must still respond: the host kills a worker that does not stop.
        await stage.rig.call(cut.session, "identify", []);
        await afterCutOff(() => stage.abort(cut));
      });
      await afterCutOff(() => stage.assertFree(`${step} was cut off and abort`));
      await stage.rig.closeAll();
    }
  },
}));

/** At once, and, of a call that takes its time, soon and in the middle. */
function delaysOf(step: string, { took }: WriterScenario): number[] {
  const ms = took.get(step) ?? 0;
  return ms < BRIEF_MS ? [0] : [0, BRIEF_MS, ms / 2];
}
