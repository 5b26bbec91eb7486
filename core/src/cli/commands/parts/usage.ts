import { visible } from "../../../base/display/visible.js";
import type { Fault, SnapshotSet } from "../../../base/schema/types.js";
import type { Engine } from "../../../engine/engine.js";
import type { CommandCall } from "../../parse/command.js";
import { faultLines } from "../../render/fault.js";
import { printError, stderrStyle } from "../../terminal/output.js";

/** Only on request: the provider of a failing storage may hang, and the records must be readable meanwhile. */
export const usageOption = {
  type: "flag",
  about: "ask the providers how full the space of the snapshots is, and which are lost",
} as const;

/** A warning of a set that is kept. */
export function printWarning(warning: Fault, { quiet }: Pick<CommandCall, "quiet">): void {
  const { message, code, hint = "" } = visible(warning);
  if (!quiet) printError([`holdstill: warning: ${message} (${code}) ${hint}`.trimEnd()]);
}

/** The sets as they are now. Reports providers that failed on stderr. */
export async function withUsageOf(
  engine: Pick<Engine, "withUsage">,
  sets: readonly SnapshotSet[],
): Promise<SnapshotSet[]> {
  if (sets.length === 0) return [];
  const { sets: now, silent } = await engine.withUsage(sets);
  for (const { error } of silent) printError(faultLines(error, stderrStyle()));
  return now;
}
