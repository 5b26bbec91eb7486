import { type ConformanceCheck, CheckFailure, Skip } from "../check.js";
import { type WriterStep, writerSteps, type WriterScenario } from "./stage.js";

const group = "Abort";
const needs = ["transaction"];

/** What abort after a step is tried with. */
interface Case {
  worker: "the same worker" | "a blank worker";
  token: "its token" | "no token";
}

export const abortChecks: readonly ConformanceCheck<WriterScenario>[] = [
  {
    name: "abort-before-anything",
    group,
    title: "abort of a transaction that never began succeeds, and changes nothing.",
    next: "Find what exists, and undo that: abort may be called after a prepare that never returned.",
    needs,
    async run(stage) {
      await stage.abort(await stage.upTo(null));
      await stage.assertFree("abort of nothing");
    },
  },
  ...writerSteps.map((step): ConformanceCheck<WriterScenario> => ({
    name: `abort-after-${step}`,
    group,
    title: `abort after ${step} lets the application continue, in the same worker and in a new one, with its token and without.`,
    next: "Find what the transaction did in the application itself, by tx.id: the token of a dead worker is lost.",
    needs,
    async run(stage) {
      for (const one of casesOf(step)) {
        const act = await stage.upTo(step);
        const hand = one.worker === "the same worker" ? act : await stage.inBlankWorker(act);
        await stage.abort({ ...hand, token: one.token === "its token" ? act.token : null });
        await stage.assertFree(`abort after ${step} in ${one.worker} with ${one.token}`);
        await stage.rig.closeAll();
      }
    },
  })),
  {
    name: "compensation",
    group,
    title:
      "The compensation of a freeze lets the application continue without the plugin, and does no harm if it runs.",
    next: "Let freeze return a command that thaws without the plugin, and that succeeds if nothing is frozen.",
    needs,
    async run(stage) {
      if (!stage.compensates) throw new Skip("freeze does not return a compensation");
      const act = await stage.upTo("freeze");
      await act.session.close();
      for (const when of ["while frozen", "once more"]) {
        const ran = await stage.compensate(act);
        if (ran === null) throw new CheckFailure("One freeze returned a compensation, and another did not.");
        if (ran.exitCode !== 0) throw new CheckFailure(`It exited ${when} with ${ran.exitCode}: ${ran.stderr.trim()}`);
        if (stage.rig.fixture.probe !== undefined && (await stage.isHeld("free")))
          throw new CheckFailure("After it, the application is still frozen.");
      }
      await stage.abort({ ...act, session: await stage.worker() });
      await stage.assertFree("compensation and abort");
    },
  },
  {
    name: "abort-ten-times",
    group,
    title: "abort may be called ten times.",
    next: "If everything is undone already, let abort succeed.",
    needs,
    async run(stage) {
      const act = await stage.upTo("freeze");
      for (let time = 0; time < 10; time += 1) await stage.abort(time < 5 ? act : { ...act, token: null });
      await stage.assertFree("abort, ten times");
    },
  },
  {
    name: "abort-leaves-others-alone",
    group,
    title: "abort of one transaction does not end the freeze of another.",
    next: "Mark what you do with tx.id, and undo only that: `recover` aborts old transactions while a new one runs.",
    needs,
    async run(stage) {
      const act = await stage.upTo("freeze");
      await stage.abort(await stage.upTo(null));
      if (stage.rig.fixture.probe !== undefined && !(await stage.isHeld("held")))
        throw new CheckFailure("After abort of another transaction, the application was no longer frozen.");
      await stage.do("thaw", act);
    },
  },
  {
    name: "data-folder-does-not-grow",
    group,
    title: "Aborted transactions leave nothing in the data folder.",
    next: "Let abort remove what the transaction wrote there.",
    needs,
    async run(stage) {
      const undone = async (): Promise<number> => {
        await stage.abort(await stage.upTo("freeze"));
        return stage.rig.dataSize();
      };
      const [first, second] = [await undone(), await undone()];
      if (second <= first) return;
      const third = await undone();
      if (second < third)
        throw new CheckFailure(`Each aborted transaction leaves more in it: ${first}, ${second}, ${third} entries.`);
    },
  },
];

function casesOf(step: WriterStep): Case[] {
  const all: Case[] = [
    { worker: "the same worker", token: "its token" },
    { worker: "a blank worker", token: "its token" },
  ];
  if (step === "prepare") return all.map((one) => ({ ...one, token: "no token" }));
  if (step !== "freeze") return all;
  return [...all, { worker: "the same worker", token: "no token" }, { worker: "a blank worker", token: "no token" }];
}
