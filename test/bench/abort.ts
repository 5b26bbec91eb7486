/** How late a deadline is kept, with plugins that hang, spin, and block in the kernel, one and four at a time. */
import { open } from "holdstill";
import type { Event } from "#core/schema/types.js";
import type { Fault } from "../rig/plugins.js";
import { patience, Stage } from "../rig/stage.js";
import { Stay } from "./stay.js";
import { type Bench, Samples } from "./samples.js";

const limitMs = 300;
const faults = ["hangs", "spins", "blocks"] as const satisfies Fault[];

export const abort: Bench = {
  name: "abort",
  async run({ quick, say }) {
    const samples = new Samples();
    for (const does of faults) {
      say(does);
      for (let round = 0; round < (quick ? 2 : 40); round += 1) {
        await using stay = new Stay();
        const stage = new Stage(stay.t);
        const isolation = does === "blocks" ? "process" : "thread";
        const limits = { ...patience, freeze: `${limitMs * 2}ms` };
        const config = stage.configFile({ isolation, limits, writer: { in: "freeze", does, when: "before" } });
        const holdstill = await open({ config });
        const onEvent = (event: Event): void => {
          if (event.type !== "call" || event.op !== "freeze") return;
          if (event.status === "begun") limit = event.limitMs ?? 0;
          if (event.status === "failed") samples.add(does, "after the deadline", (event.elapsedMs ?? 0) - limit);
        };
        let limit = 0;
        const { outcome } = await holdstill.create({ targets: ["writer:app"] }, { onEvent });
        if (outcome !== "aborted") throw new Error(`a writer that ${does} was not aborted: ${outcome}`);
      }
    }
    return [
      { bench: "abort", about: "lateness of the freeze deadline", ours: "after the deadline", rows: samples.rows },
    ];
  },
};
