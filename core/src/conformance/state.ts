import { type ConformanceCheck, CheckFailure } from "./check.js";
import { stateOf } from "./fixture-commands.js";
import type { PluginRig } from "./rig.js";

/** Whatever a transaction does, and however it ends: afterwards `state` must print what it printed before. */
export function stateCheck<Stage extends { readonly rig: PluginRig }>(
  /** Ways through a transaction, with a clause for each. */
  ways: (stage: Stage) => readonly (readonly [string, () => Promise<void>])[],
): ConformanceCheck<Stage> {
  return {
    name: "state-is-restored",
    group: "What is left",
    title: "After a transaction, also one that was aborted, `state` prints the same as before.",
    next: "Put back in thaw what freeze has changed, in remove and unexpose what the snapshot needed, and in abort all of it.",
    needs: ["transaction"],
    async run(stage) {
      const { rig } = stage;
      const before = await stateOf(rig);
      for (const [what, walk] of ways(stage)) {
        await walk();
        await rig.closeAll();
        const after = await stateOf(rig);
        if (after !== before) throw new CheckFailure(`${what}: ${difference(before, after)}`);
      }
    },
  };
}

/** The first lines that differ. */
function difference(before: string, after: string): string {
  const [was, is] = [before.split("\n"), after.split("\n")];
  const gone = was.filter((line) => !is.includes(line)).slice(0, 3);
  const come = is.filter((line) => !was.includes(line)).slice(0, 3);
  if (gone.length + come.length === 0) return "`state` prints the same lines in another order or number.";
  return `before, \`state\` printed ${gone.join("; ") || "less"}, and now it prints ${come.join("; ") || "less"}.`;
}
