import { usualTimes } from "../../store/history.js";
import { command } from "../parse/command.js";
import { interruption } from "../live/interrupt.js";
import { stdoutStyle, print, printDocument, printError } from "../terminal/output.js";
import { planLines } from "../render/plan.js";
import { requestOf, planOptions, targets, targetsAbout } from "../parse/request.js";

export const planCommand = command({
  usage: "TARGET… [--require LEVEL] [--include-root]",
  about: `Asks the writers what they own and the providers what they can, and shows what create would do, and how long that took in the last runs. ${targetsAbout}`,
  operands: targets,
  options: planOptions,
  examples: [
    { line: "holdstill plan /srv", does: "what would happen to /srv, and which consistency it would get" },
    { line: "holdstill plan writer:pg-main --require application", does: "ends with 3 if that cannot be promised" },
  ],
  async run(call) {
    const request = requestOf(call.operands, call.values);
    const { signal, end } = interruption((text) => printError([`holdstill: ${text}`]));
    try {
      const requester = await call.connect("workers");
      const made = await requester.plan(request, { signal });
      const actors = [...made.writers, ...made.providers].map(({ who }) => who.instance);
      const usual = usualTimes(await requester.history(), actors);
      if (call.form === "json") printDocument("plan", { ...made, usual });
      else print(planLines(made, usual, requester.settings.limits, stdoutStyle()));
      return 0;
    } finally {
      end();
    }
  },
});
