import { visible } from "../../base/display/visible.js";
import { exit } from "../../base/errors/exit.js";
import { startLiveSession } from "../live/live-session.js";
import { command, oneSet } from "../parse/command.js";
import { repairedLines } from "../render/set.js";
import type { SnapshotSet } from "../../base/schema/types.js";
import { print, printDocument, stdoutStyle } from "../terminal/output.js";

export const repairCommand = command({
  about:
    "Each writer repairs forks of its snapshots, so that its application opens them at once: after `create --repair later`, or if the repair has failed. The snapshots as they were cut stay beside the forks. Without the repair, a restore puts back what was cut, and the application does the repair when it starts. Exits with 5 if a snapshot could not be repaired.",
  operands: oneSet,
  options: {},
  examples: [{ line: "holdstill repair latest", does: "when the server has time for it" }],
  async run(call) {
    const [key = ""] = call.operands;
    const engine = await call.connect("workers");
    const session = startLiveSession(call);
    try {
      const set = await engine.repair(key, session.signal);
      session.end();
      if (call.form === "json") printDocument("repair", set);
      else print(linesOf(set));
      const isWhole = set.writers.every(({ repair }) => repair === undefined || repair.state === "repaired");
      return isWhole ? exit.done : exit.degraded;
    } finally {
      session.end();
    }
  },
});

function linesOf(set: SnapshotSet): string[] {
  const lines = repairedLines(visible(set), stdoutStyle());
  return lines.length > 0 ? lines : [`No writer repairs snapshots of set ${set.id}.`];
}
