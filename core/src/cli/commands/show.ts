import { instant } from "../../base/display/units.js";
import { command, oneSet } from "../parse/command.js";
import { draw } from "../render/draw.js";
import { setLines } from "../render/set.js";
import { print, printDocument, stdoutStyle } from "../terminal/output.js";
import { usageOption, withUsageOf } from "./parts/usage.js";

export const show = command({
  about:
    "Shows the record of a set: the consistency that was reached and why, the facts and files of the writers, and the timeline.",
  operands: oneSet,
  options: {
    usage: usageOption,
    timeline: { type: "text", value: "FILE", about: "draw the timeline into FILE.svg or FILE.html" },
  },
  examples: [
    { line: "holdstill show latest", does: "the newest set" },
    { line: "holdstill show latest --timeline night.html", does: "a drawing of all calls and their limits" },
    { line: "holdstill show 20260102-0304 --json", does: "the record, by the beginning of its id" },
  ],
  async run({ operands: [key = ""], form, values: { usage, timeline }, connect }) {
    const engine = await connect(usage ? "workers" : "catalog");
    const recorded = await engine.show(key);
    const [set = recorded] = usage && "withUsage" in engine ? await withUsageOf(engine, [recorded]) : [];
    if (timeline !== undefined) {
      const failed = set.timeline.find(({ outcome }) => outcome === "failed");
      const title = `Set ${set.id}, ${instant(set.createdAt)}: ${set.consistency}`;
      draw(timeline, { title, culprit: failed?.reason ?? null, spans: set.timeline });
    }
    if (form === "json") printDocument("show", set);
    else if (timeline === undefined) print(setLines(set, stdoutStyle()));
    return 0;
  },
});
