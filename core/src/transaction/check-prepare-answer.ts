import type { Who } from "../base/errors/details.js";
import { HoldstillError } from "../base/errors/error.js";
import type { PlannedVolume } from "../plan/plan.js";
import type { CriticalSection, Finding } from "../base/schema/types.js";

/**
 * The plan's promise depends on the holds that match announced: the result of prepare must contain them all.
 *
 * @throws HoldstillError E_ANSWER_INVALID
 */
export function checkPrepareAnswer(who: Who, { hold }: CriticalSection, volumes: readonly PlannedVolume[]): void {
  const promised = volumes.flatMap(({ provider, qualities }) =>
    provider === who.instance ? (qualities.hold ?? []) : [],
  );
  const seen = hold.map((point) => JSON.stringify(nameOf(point)));
  const findings = promised.flatMap((point): Finding[] => {
    const expected = JSON.stringify(nameOf(point));
    if (seen.includes(expected)) return [];
    return [{ file: `${who.instance}.prepare()`, pointer: "/hold", seen: seen.join(", ") || "nothing", expected }];
  });
  if (findings.length > 0) throw new HoldstillError("E_ANSWER_INVALID", { who, op: "prepare", findings });
}

const nameOf = (point: CriticalSection["hold"][number]): string =>
  point.kind === "dm" ? `dm ${point.name}` : `fs ${point.mount}`;
