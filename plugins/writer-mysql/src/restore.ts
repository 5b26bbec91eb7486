import type { Context, SnapshotSet } from "holdstill/plugin";
import { PluginError } from "./errors.js";
import type { Options } from "./options.js";
import { factsOf } from "./facts.js";
import { serverWorkingIn } from "./server-process.js";

/** Two servers on one folder, or files that change below a server, destroy the data. */
export async function refuseRunning(set: SnapshotSet, _ctx: Context<Options>): Promise<void> {
  for (const { component } of set.components) {
    const facts = factsOf(component);
    const running = facts === undefined ? undefined : await serverWorkingIn(facts.dataDir);
    if (facts === undefined || running === undefined) continue;
    const { pid, binary } = running;
    throw new PluginError(
      "MYSQL_RUNNING",
      `${binary} runs on ${facts.dataDir} (process ${pid})`,
      "Stop it, then restore.",
    );
  }
}
