/** How long logical volumes and device-mapper devices stand still, in the laboratory: no other machine has them at hand. */
import path from "node:path";
import type { Measured } from "../lab/events.js";
import { runInGuest } from "../lab/guest.js";
import { findKernel, type Kernel, NoKernel } from "../lab/kernels.js";
import { type Bench, Samples } from "./samples.js";

const tables = {
  volumes: "I/O held, ext4 under a writing load, in a user-mode kernel",
  "volumes stall": "longest step of a program that writes to all volumes in turn, on the one processor that all share",
  "volumes apart": "time between the first and the last snapshot of a set that is not of one instant",
  "volumes process": "what it takes there to start a program, of which scripts start many",
} as const;

/** The laboratory's newest: programs start there in half the time that the older ones take. */
const kernelName = "7.2";

export const volumes: Bench = {
  name: "volumes",
  async run({ quick, say }) {
    const samples = new Map(Object.keys(tables).map((table) => [table, new Samples()]));
    let last = "";
    for await (const event of measured(quick, say)) {
      if (event.case !== last) say(event.case);
      last = event.case;
      samples.get(event.table)?.add(event.case, event.way, event.ms);
    }
    return Object.entries(tables).map(([bench, about]) => {
      const ours = bench === "volumes process" ? "one process" : "holdstill";
      return { bench, about, ours, rows: samples.get(bench)?.rows ?? [] };
    });
  },
};

/** Nothing where that kernel cannot be had. */
async function* measured(quick: boolean, say: (text: string) => void): AsyncGenerator<Measured> {
  const kernel = found(say);
  if (kernel === undefined) return;
  say(`kernel ${kernel.version}`);
  const file = path.join(import.meta.dirname, "guest/volumes.js");
  const limits = { fileSeconds: 900, silenceSeconds: 300 };
  for await (const event of runInGuest(kernel, [file], limits, undefined, quick ? { HOLDSTILL_BENCH: "quick" } : {})) {
    if (event.event === "measured") yield event;
    if (event.event === "failed") throw new Error(event.detail);
    if (event.event === "ended" && event.code !== 0) throw new Error(event.why);
  }
}

function found(say: (text: string) => void): Kernel | undefined {
  try {
    return findKernel(kernelName);
  } catch (error) {
    if (!(error instanceof NoKernel)) throw error;
    say(`left out: ${error.message}`);
    return undefined;
  }
}
