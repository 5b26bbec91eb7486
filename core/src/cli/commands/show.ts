import { instant } from "../../base/display/units.js";
import { exit } from "../../base/errors/exit.js";
import type { SnapshotSet } from "../../base/schema/types.js";
import { command, type Form, oneSet } from "../parse/command.js";
import { UsageError } from "../parse/usage-error.js";
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
    proof: { type: "flag", about: "of a set of several hosts: each step of the proof that they held at one instant" },
    timeline: { type: "text", value: "FILE", about: "draw the timeline into FILE.svg or FILE.html" },
  },
  examples: [
    { line: "holdstill show latest", does: "the newest set" },
    { line: "holdstill show latest --timeline night.html", does: "a drawing of all calls and their limits" },
    {
      line: "holdstill show latest --proof",
      does: "checks that several hosts held at one instant; else exits with 4",
    },
    { line: "holdstill show 20260102-0304 --json", does: "the record, by the beginning of its id" },
  ],
  async run({ operands: [key = ""], form, values: { usage, proof, timeline }, connect }) {
    const engine = await connect(usage ? "workers" : "catalog");
    const recorded = await engine.show(key);
    const [set = recorded] = usage && "withUsage" in engine ? await withUsageOf(engine, [recorded]) : [];
    if (timeline !== undefined) {
      const failed = set.timeline.find(({ outcome }) => outcome === "failed");
      const title = `Set ${set.id}, ${instant(set.createdAt)}: ${set.consistency}`;
      draw(timeline, { title, culprit: failed?.reason ?? null, spans: set.timeline });
    }
    if (proof) return showProof(set, form);
    if (form === "json") printDocument("show", set);
    else if (timeline === undefined) print([...setLines(set, stdoutStyle()), ...(await hostLines(set))]);
    return 0;
  },
});

async function hostLines({ cluster }: SnapshotSet): Promise<string[]> {
  if (cluster === undefined) return [];
  const { clusterLines } = await import("../render/cluster.js");
  return ["", ...clusterLines(cluster)];
}

/** From the record alone: neither etcd nor another host is asked. */
async function showProof(set: SnapshotSet, form: Form): Promise<number> {
  const { cluster } = set;
  if (cluster === undefined)
    throw new UsageError(`Set ${set.id} is of this host alone.`, "Omit --proof: `holdstill show` has its consistency.");
  const { isProven, proofLines } = await import("../render/cluster.js");
  if (form === "json") printDocument("show", set);
  else print(proofLines(cluster, stdoutStyle()));
  return isProven(cluster) ? exit.done : exit.aborted;
}
