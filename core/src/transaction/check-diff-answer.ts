import type { Who } from "../base/errors/details.js";
import { HoldstillError } from "../base/errors/error.js";
import type { Difference, Finding } from "../base/schema/types.js";

/**
 * Checks what no schema can of the result of diff: the lists have pairs of an offset and a length, in order and within the volume, and
 * no byte is named twice.
 *
 * @throws HoldstillError E_ANSWER_INVALID
 */
export function checkDiffAnswer(who: Who, { data, holes, sizeBytes }: Difference): void {
  const file = `${who.instance}.diff()`;
  const findings = [
    ...wrongPairs("/data", data, sizeBytes),
    ...wrongPairs("/holes", holes, sizeBytes),
    ...(overlap(data, holes)
      ? [{ pointer: "/holes", seen: "a part of /data", expected: "parts that are not in /data" }]
      : []),
  ].map((one): Finding => ({ file, ...one }));
  if (findings.length > 0) throw new HoldstillError("E_ANSWER_INVALID", { who, op: "diff", findings });
}

type Wrong = Pick<Finding, "pointer" | "seen" | "expected">;

function wrongPairs(pointer: string, pairs: readonly number[], sizeBytes: number): Wrong[] {
  if (pairs.length % 2 !== 0) return [{ pointer, seen: `${pairs.length} numbers`, expected: "pairs" }];
  let end = 0;
  for (let at = 0; at < pairs.length; at += 2) {
    const [offset = 0, length = 0] = pairs.slice(at, at + 2);
    const wrong = { pointer: `${pointer}/${at}`, seen: `${offset}, ${length}` };
    if (length === 0) return [{ ...wrong, expected: "a length of at least 1" }];
    if (offset < end) return [{ ...wrong, expected: `an offset of at least ${end}` }];
    end = offset + length;
    if (end > sizeBytes) return [{ ...wrong, expected: `a part of ${sizeBytes} bytes` }];
  }
  return [];
}

/** Of two lists that are in order. */
function overlap(one: readonly number[], other: readonly number[]): boolean {
  for (let a = 0, b = 0; a < one.length && b < other.length;) {
    const [start = 0, length = 0, otherStart = 0, otherLength = 0] = [one[a], one[a + 1], other[b], other[b + 1]];
    if (start < otherStart + otherLength && otherStart < start + length) return true;
    if (start < otherStart) a += 2;
    else b += 2;
  }
  return false;
}
