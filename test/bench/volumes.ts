/** How long logical volumes and device-mapper devices stand still, in the laboratory: no other machine has them at hand. */
import path from "node:path";
import { runInGuest } from "../lab/guest.js";
import { findKernel, type Kernel, NoKernel } from "../lab/kernels.js";
import { type Bench, Samples } from "./samples.js";

const tables = {
  volumes: "I/O held, ext4 under a writing load, in a user-mode kernel",
  "volumes stall": "longest step of a program that writes to all volumes in turn, on the one processor that all share",
  "volumes apart": "time between the first and the last picture of a set that is not of one instant",
  "volumes process": "what it takes there to start a program, of which scripts start many",
} as const;

export const volumes: Bench = {
  name: "volumes",
  async run({ quick, say }) {
    const samples = new Map(Object.keys(tables).map((table) => [table, new Samples()]));
    for (const name of quick ? ["6.12"] : ["6.12", "6.1"]) {
      const kernel = found(name, say);
      if (kernel === undefined) continue;
      say(`kernel ${kernel.version}`);
      const file = path.join(import.meta.dirname, "guest/volumes.js");
      const limits = { fileSeconds: 900, silenceSeconds: 300 };
      const variables = quick ? { HOLDSTILL_BENCH: "quick" } : {};
      let last = "";
      for await (const event of runInGuest(kernel, [file], limits, undefined, variables)) {
        if (event.event === "measured") {
          if (event.case !== last) say(event.case);
          last = event.case;
          samples.get(event.table)?.add(event.case, event.way, event.ms);
        }
        if (event.event === "failed") throw new Error(`in kernel ${name}: ${event.detail}`);
        if (event.event === "ended" && event.code !== 0) throw new Error(`in kernel ${name}: ${event.why}`);
      }
    }
    return Object.entries(tables).map(([bench, about]) => {
      const ours = bench === "volumes process" ? "one process" : "holdstill";
      return { bench, about, ours, rows: samples.get(bench)?.rows ?? [] };
    });
  },
};

function found(name: string, say: (text: string) => void): Kernel | undefined {
  try {
    return findKernel(name);
  } catch (error) {
    if (!(error instanceof NoKernel)) throw error;
    say(`left out: ${error.message}`);
    return undefined;
  }
}
