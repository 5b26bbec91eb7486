import { usualTimes } from "../../store/history.js";
import { interruption } from "../live/interrupt.js";
import { command } from "../parse/command.js";
import { planOptions, requestOf, targets, targetsAbout } from "../parse/request.js";
import { planLines } from "../render/plan.js";
import { print, printDocument, printError, stdoutStyle } from "../terminal/output.js";

export const planCommand = command({
  about: `Asks the writers what they own and the providers what they can do. Shows what create would do, and how long the calls took in recent runs. ${targetsAbout}`,
  operands: targets,
  options: planOptions,
  examples: [
    { line: "holdstill plan /srv", does: "what create would do, and which consistency it promises" },
    { line: "holdstill plan writer:pg-main --require application", does: "exits with 3 if that cannot be promised" },
  ],
  async run(call) {
    const request = requestOf(call.operands, call.values);
    const { signal, end } = interruption((text) => printError([`holdstill: ${text}`]));
    try {
      const engine = await call.connect("plan");
      const plan = await engine.plan(request, { signal });
      const actors = [...plan.writers, ...plan.providers].map(({ who }) => who.instance);
      const usual = usualTimes(await engine.history(), actors);
      if (call.form === "json") printDocument("plan", { ...plan, usual });
      else print(planLines(plan, usual, engine.settings.limits, stdoutStyle()));
      return 0;
    } finally {
      end();
    }
  },
});
