import type { RecordedSnapshot, RecordedWriter, Repair, SnapshotSet } from "../../base/schema/types.js";

/**
 * The record of a set of another host as one of this host: without what is about that host alone. What was captured, when, and how, stays.
 *
 * @param cuts The snapshots of this host.
 */
export function recordOfImport(set: SnapshotSet, cuts: readonly RecordedSnapshot[], sha256: string): SnapshotSet {
  const {
    exposed: _exposed,
    exposedAt: _exposedAt,
    restoring: _restoring,
    lease: _lease,
    requester: _requester,
    retainUntil: _retainUntil,
    sequence: _sequence,
    clockDoubt: _clockDoubt,
    ...kept
  } = set;
  return {
    ...kept,
    writers: set.writers.map((writer) => withoutForks(writer, set)),
    snapshots: [...cuts],
    imported: { at: new Date().toISOString(), sha256 },
  };
}

/** A repair in a fork, or one that was not made, stays behind; one of what was cut is a part of the contents. */
function withoutForks(writer: RecordedWriter, { snapshots }: SnapshotSet): RecordedWriter {
  const { repair, ...rest } = writer;
  const forks = new Set(snapshots.flatMap(({ snapshot: { id, of } }) => (of === undefined ? [] : [id])));
  if (repair === undefined || !wasMade(repair) || repair.in.some((id) => forks.has(id))) return rest;
  return { ...rest, repair: { ...repair, in: [] } };
}

const wasMade = ({ state, in: written }: Repair): boolean =>
  state === "repaired" || (state === "failed" && written.length > 0);
