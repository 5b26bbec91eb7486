import type { Who } from "../base/errors/details.js";
import { HoldstillError } from "../base/errors/error.js";
import type { Finding, Snapshot, Volume } from "../base/schema/types.js";

/**
 * Checks what no schema can of the result of seal: every volume has its snapshot, each belongs to this set, and each is there once.
 *
 * @throws HoldstillError E_ANSWER_INVALID with all findings.
 */
export function checkSealAnswer(
  who: Who,
  snapshots: readonly Snapshot[],
  setId: string,
  volumes: readonly Volume[],
): void {
  const file = `${who.instance}.seal()`;
  const known = new Set(volumes.map((volume) => volume.id));
  const ids = snapshots.map((snapshot) => snapshot.id);
  const findings = snapshots.flatMap((snapshot, at): Finding[] => {
    const wrong = (property: keyof Snapshot, expected: string): Finding => {
      return { file, pointer: `/${at}/${property}`, seen: JSON.stringify(snapshot[property]), expected };
    };
    return [
      ...(snapshot.setId === setId ? [] : [wrong("setId", `"${setId}"`)]),
      ...(known.has(snapshot.volumeId) ? [] : [wrong("volumeId", "one of the volumes that it was given")]),
      ...(ids.indexOf(snapshot.id) === at ? [] : [wrong("id", "an id of its own")]),
      ...(Number.isNaN(Date.parse(snapshot.createdAt)) ? [wrong("createdAt", "a date, ISO 8601")] : []),
    ];
  });
  const sealed = new Set(snapshots.map((snapshot) => snapshot.volumeId));
  for (const { id } of volumes) {
    if (!sealed.has(id)) findings.push({ file, pointer: "", seen: "nothing", expected: `a snapshot of volume ${id}` });
  }
  if (findings.length > 0) throw new HoldstillError("E_ANSWER_INVALID", { who, op: "seal", findings });
}
