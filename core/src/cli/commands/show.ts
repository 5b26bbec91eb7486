import { command, oneSet } from "../parse/command.js";
import { draw } from "../render/draw.js";
import { withUsageOf, usageOption } from "./parts/usage.js";
import { stdoutStyle, print, printDocument } from "../terminal/output.js";
import { setLines } from "../render/set.js";
import { instant } from "../../base/display/units.js";

export const show = command({
  usage: "SET [--usage] [--timeline FILE]",
  about: "The record of a set: what was reached and why, the writers' facts and files, and the timeline.",
  operands: oneSet,
  options: {
    usage: usageOption,
    timeline: { type: "text", value: "FILE", about: "draw the timeline into FILE.svg or FILE.html" },
  },
  examples: [
    { line: "holdstill show latest --timeline night.html", does: "who did what when, as a snapshot" },
    { line: "holdstill show latest", does: "the set that was made last" },
    { line: "holdstill show 20260102-0304 --json", does: "the record, by the beginning of its id" },
  ],
  async run({ operands: [key = ""], form, values: { usage, timeline }, connect }) {
    const requester = await connect(usage ? "workers" : "catalog");
    const recorded = await requester.show(key);
    const [set = recorded] = usage ? await withUsageOf(requester, [recorded]) : [];
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
