import type { Engine } from "../../../engine/engine.js";
import type { Fault, SnapshotSet } from "../../../base/schema/types.js";
import type { CommandCall } from "../../parse/command.js";
import { stderrStyle, printError } from "../../terminal/output.js";
import { faultLines } from "../../render/fault.js";
import { visible } from "../../../base/display/visible.js";

/** Not without being told to: where storage is in trouble its providers may not answer, and what is recorded must be seen. */
export const usageOption = {
  type: "flag",
  about: "ask the providers how full the snapshots' room is, and which are lost",
} as const;

/** What is worth a line while a set lives. */
export function printWarning(warning: Fault, { quiet }: Pick<CommandCall, "quiet">): void {
  const { message, code, hint = "" } = visible(warning);
  if (!quiet) printError([`holdstill: warning: ${message} (${code}) ${hint}`.trimEnd()]);
}

/** The sets as they are now; a provider that does not say is told of on stderr. */
export async function withUsageOf(
  requester: Pick<Engine, "withUsage">,
  sets: readonly SnapshotSet[],
): Promise<SnapshotSet[]> {
  const { sets: now, silent } = await requester.withUsage(sets);
  for (const { error } of silent) printError(faultLines(error, stderrStyle()));
  return now;
}
