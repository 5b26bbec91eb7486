import { closeSync, constants, openSync, readSync } from "node:fs";
import type { Difference, Snapshot } from "../../base/schema/types.js";
import { checkDiffAnswer } from "../../transaction/check-diff-answer.js";
import { type ConformanceCheck, CheckFailure, Skip } from "../check.js";
import { disturb, furnish } from "../tree.js";
import { fillDevice, rawVolumes } from "./raw-device.js";
import { ProviderScenario } from "./stage.js";

export const changeChecks: readonly ConformanceCheck<ProviderScenario>[] = [
  {
    name: "diff-names-all-changes",
    group: "The snapshot",
    title: "What diff names, written over the older snapshot, makes it the same as the newer one.",
    next: "Name every part that may differ: one that did not change costs time, and one that is missing costs the data of a backup.",
    needs: ["snapshot-is-of-the-cut"],
    async run(stage) {
      const session = await stage.worker();
      if (!session.offers("diff")) throw new Skip("the plugin has no diff");
      await session.close();
      try {
        await compareCuts(stage, () => stage.paths.forEach(disturb));
      } finally {
        stage.paths.forEach(furnish);
      }
      const { devices } = stage.rig.fixture;
      if (stage.rig.manifest.volumes?.includes("block") !== true || devices === undefined) return;
      const raw = new ProviderScenario(stage.rig);
      raw.volumes = rawVolumes(devices);
      try {
        await compareCuts(raw, () => raw.paths.forEach(fillDevice));
      } catch (error) {
        await raw.cleanUp();
        throw error;
      }
    },
  },
];

/** Takes two sets, and changes the volumes in between. */
async function compareCuts(stage: ProviderScenario, change: () => void): Promise<void> {
  const first = await stage.upTo("seal");
  change();
  const second = await stage.upTo("seal", first.session);
  const { session } = second;
  for (const to of second.snapshots) {
    const from = first.snapshots.find(({ volumeId }) => volumeId === to.volumeId);
    if (from === undefined) throw new CheckFailure(`There is no snapshot of ${to.volumeId} in the first set.`);
    for (const one of [from, to]) await stage.expose(session, one);
    const found = await stage.rig.call(session, "diff", [from, to]);
    checkDiffAnswer(session.who, found);
    assertComplete(from, to, found);
    for (const one of [from, to]) await stage.unexpose(session, one);
  }
  for (const act of [second, first]) await stage.remove(act);
  stage.forget();
}

/** Bytes that are compared at once. */
const STRIDE = 1024 * 1024;

/** Applies the parts to all of the older snapshot, stride by stride. */
function assertComplete(from: Snapshot, to: Snapshot, { data, holes, sizeBytes, ...nodes }: Difference): void {
  const older = openSync(nodes.from, constants.O_RDONLY);
  const newer = openSync(nodes.to, constants.O_RDONLY);
  try {
    if (readAt(newer, sizeBytes, 1).length > 0)
      throw new CheckFailure(`diff returned a size of ${sizeBytes} bytes, and ${nodes.to} is larger.`);
    const changed = cursorOf(data);
    const zeros = cursorOf(holes);
    for (let offset = 0; offset < sizeBytes; offset += STRIDE) {
      const now = readAt(newer, offset, Math.min(STRIDE, sizeBytes - offset));
      const applied = Buffer.alloc(now.length);
      readAt(older, offset, now.length).copy(applied);
      for (const [start, end] of changed(offset, offset + now.length)) now.copy(applied, start, start, end);
      for (const [start, end] of zeros(offset, offset + now.length)) applied.fill(0, start, end);
      const wrong = applied.equals(now) ? -1 : applied.findIndex((byte, at) => byte !== now[at]);
      if (wrong >= 0)
        throw new CheckFailure(
          `From ${from.id} to ${to.id}, the byte at ${offset + wrong} changed, and what diff returned does not say so.`,
        );
    }
  } finally {
    closeSync(older);
    closeSync(newer);
  }
}

/** At most so many bytes of a device or file; less at its end. */
function readAt(fd: number, offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let done = 0;
  for (let count = -1; count !== 0 && done < length; done += count)
    count = readSync(fd, bytes, done, length - done, offset + done);
  return bytes.subarray(0, done);
}

/** What of the parts lies between two offsets, relative to the first one. To be asked in ascending order. */
function cursorOf(pairs: readonly number[]): (start: number, end: number) => [number, number][] {
  let next = 0;
  return (start, end) => {
    const found: [number, number][] = [];
    for (; next < pairs.length; next += 2) {
      const [offset = 0, length = 0] = pairs.slice(next, next + 2);
      if (offset >= end) break;
      found.push([Math.max(offset, start) - start, Math.min(offset + length, end) - start]);
      if (offset + length > end) break;
    }
    return found;
  };
}
