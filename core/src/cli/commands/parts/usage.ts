import type { Requester } from "../../../engine/engine.js";
import type { Fault, SnapshotSet } from "../../../base/schema/types.js";
import type { Call } from "../../parse/command.js";
import { errLook, tell } from "../../terminal/output.js";
import { faultLines } from "../../render/fault.js";
import { visible } from "../../../base/display/visible.js";

/** Not without being told to: where storage is in trouble its providers may not answer, and what is recorded must be seen. */
export const fillOption = {
  type: "flag",
  about: "ask the providers how full the snapshots' room is, and which are lost",
} as const;

/** What is worth a line while a set lives. */
export function warn(warning: Fault, { quiet }: Pick<Call, "quiet">): void {
  const { message, code, hint = "" } = visible(warning);
  if (!quiet) tell([`holdstill: warning: ${message} (${code}) ${hint}`.trimEnd()]);
}

/** The sets as they are now; a provider that does not say is told of on stderr. */
export async function filled(
  requester: Pick<Requester, "asOfNow">,
  sets: readonly SnapshotSet[],
): Promise<SnapshotSet[]> {
  const { sets: now, silent } = await requester.asOfNow(sets);
  for (const { error } of silent) tell(faultLines(error, errLook()));
  return now;
}
