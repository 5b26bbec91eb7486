import type { SnapshotSet } from "holdstill/plugin";
import { PluginError } from "./errors.js";
import { capturedServers } from "./facts.js";
import { serverWorkingIn } from "./server-process.js";

/**
 * Refuses while a server works in a folder that is to be replaced: two servers on one folder, or files that change below a server,
 * destroy the data.
 *
 * @throws PluginError MYSQL_RUNNING; MYSQL_SNAPSHOT if the set has nothing of this writer.
 */
export async function refuseRunning(set: SnapshotSet): Promise<void> {
  const components = set.components.map(({ component }) => component);
  for (const { dataDir } of capturedServers({ components })) {
    const running = serverWorkingIn(dataDir);
    if (running === undefined) continue;
    const { pid, program } = running;
    const message = `${program} runs on ${dataDir} (process ${pid})`;
    throw new PluginError("MYSQL_RUNNING", message, "Stop it, then restore.");
  }
}
