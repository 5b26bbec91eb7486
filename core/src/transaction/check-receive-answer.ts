import type { Who } from "../base/errors/details.js";
import { HoldstillError } from "../base/errors/error.js";
import type { Finding, Place, Volume } from "../base/schema/types.js";

/**
 * Checks what no schema can of the result of receive: each volume has one place, and no two have the same.
 *
 * @throws HoldstillError E_ANSWER_INVALID
 */
export function checkReceiveAnswer(who: Who, places: readonly Place[], volumes: readonly Volume[]): void {
  const file = `${who.instance}.receive()`;
  const findings = volumes.flatMap(({ id }): Finding[] => {
    const number = places.filter(({ volumeId }) => volumeId === id).length;
    return number === 1 ? [] : [{ file, pointer: "", seen: `${number} places`, expected: `one place of volume ${id}` }];
  });
  const folders = new Set(places.map(({ folder }) => folder));
  if (folders.size < places.length)
    findings.push({ file, pointer: "", seen: "one folder twice", expected: "a folder for each volume" });
  if (findings.length > 0) throw new HoldstillError("E_ANSWER_INVALID", { who, op: "receive", findings });
}
