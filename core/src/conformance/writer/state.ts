import { stateCheck } from "../state.js";
import { writerSteps, type WriterScenario } from "./stage.js";

export const writerStateChecks = [
  stateCheck<WriterScenario>((stage) => [
    ["After a whole transaction", async () => void (await stage.upTo("seal"))],
    ...writerSteps.map((step) => [`After ${step} and abort`, async () => stage.abort(await stage.upTo(step))] as const),
    [
      "After a freeze whose worker has died, and abort",
      async () => stage.abort({ ...(await stage.inBlankWorker(await stage.upTo("freeze"))), token: null }),
    ],
  ]),
];
