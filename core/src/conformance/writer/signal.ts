import { setTimeout as sleep } from "node:timers/promises";
import { type Check, obeying, Skip } from "../check.js";
import { type Act, steps, type WriterStage } from "./stage.js";

const group = "Signals";

/** A call that takes less has ended before a signal can be of use, ms. */
const BRIEF_MS = 40;

export const signalChecks: readonly Check<WriterStage>[] = steps.map((step) => ({
  name: `${step}-obeys-the-signal`,
  group,
  title: `${step} stops when it is told to, and abort then undoes it.`,
  next: "Hand ctx.signal to all that waits, and end the call when it fires: a worker that does not is killed after 250 ms.",
  needs: ["transaction"],
  async run(stage) {
    if ((step === "prepare" || step === "seal") && !stage.rig.offered.has(step))
      throw new Skip(`the plugin has no ${step}`);
    const before = steps[steps.indexOf(step) - 1] ?? null;
    for (const delayMs of delaysOf(step, stage)) {
      let act: Act | null = null;
      await obeying(step, async () => {
        if (act !== null) await stage.mend();
        act = await stage.upTo(before);
        const call = stage.do(step, act).catch(() => {});
        await sleep(delayMs);
        act.session.cancel();
        await call;
        // It must still answer: the host kills a worker that does not stop.
        await stage.rig.call(act.session, "identify", []);
        await stage.abort(act);
      });
      await stage.assertFree(`${step} was cut off and abort`);
      await stage.rig.closeAll();
    }
  },
}));

/** At once, and, of a call that takes its time, soon and in the middle. */
function delaysOf(step: string, { took }: WriterStage): number[] {
  const ms = took.get(step) ?? 0;
  return ms < BRIEF_MS ? [0] : [0, BRIEF_MS, ms / 2];
}
