import type { Requester } from "../requester/requester.js";
import type { SnapshotSet } from "../schema/types.js";
import { errLook, tell } from "./output.js";
import { faultLines } from "./render/fault.js";

/** Not without being told to: where storage is in trouble its providers may not answer, and what is recorded must be seen. */
export const fillOption = {
  type: "flag",
  about: "ask the providers how full the snapshots' room is, and which are lost",
} as const;

/** The sets as they are now; a provider that does not say is told of on stderr. */
export async function filled(
  requester: Pick<Requester, "asOfNow">,
  sets: readonly SnapshotSet[],
): Promise<SnapshotSet[]> {
  const { sets: now, silent } = await requester.asOfNow(sets);
  for (const { error } of silent) tell(faultLines(error, errLook()));
  return now;
}
