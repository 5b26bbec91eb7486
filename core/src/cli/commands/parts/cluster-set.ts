import type { ClusterSetDocument } from "../../../base/schema/types.js";
import type { SnapshotRequest } from "../../../plan/plan.js";
import { startLiveSession } from "../../live/live-session.js";
import { clusterHostsOf } from "../../parse/cluster-request.js";
import type { CommandCall } from "../../parse/command.js";
import { UsageError } from "../../parse/usage-error.js";
import { faultLines } from "../../render/fault.js";
import { print, printDocument, printError, stderrStyle, stdoutStyle } from "../../terminal/output.js";

/** `create --cluster`: this process asks, and the services of the hosts take the set. */
export async function createOverHosts(request: SnapshotRequest, call: CommandCall): Promise<number> {
  if (request.includeRoot === true)
    throw new UsageError("--include-root cannot be used with --cluster.", "Leave the volume out of the set.");
  const engine = await call.open("create");
  const hosts = clusterHostsOf(call.operands, engine.settings.cluster);
  const { name, tags, require: level } = request;
  const session = startLiveSession(call);
  try {
    const made = await engine.createCluster(
      {
        hosts,
        tags: tags ?? {},
        ...(name === undefined ? {} : { name }),
        ...(level === undefined ? {} : { require: level }),
      },
      { onEvent: session.onEvent, signal: session.signal },
    );
    session.end();
    await show(made, call);
    return made.exitCode;
  } finally {
    session.end();
  }
}

async function show(made: ClusterSetDocument, { form, quiet }: CommandCall): Promise<void> {
  if (form === "stream") return;
  if (form === "json") {
    printDocument("create", made);
    return;
  }
  const { clusterSetLines } = await import("../../render/cluster.js");
  if (quiet) print(made.instant === null ? [] : [made.set]);
  else print(clusterSetLines(made, stdoutStyle()));
  if (made.error !== null) printError(faultLines(made.error, stderrStyle()));
}
