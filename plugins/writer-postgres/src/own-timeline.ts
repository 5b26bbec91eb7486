import { Folder, type Owner } from "./folder.js";
import { historyFile, segmentName, parseLsn } from "./wal.js";

/**
 * A server that goes on from a snapshot writes other WAL than the captured one, and must not give it the same names: in an archive it
 * would replace what is needed for a point in time, or be refused forever. So the repair ends with a new timeline, as a recovery
 * from an archive does (manual, "Timelines"): of an archive that has nothing.
 */
export function beginTimeline(dataDir: Folder, taken: readonly number[] = []): Record<string, string> {
  dataDir.write("recovery.signal", "create", "");
  const histories = taken.flatMap((timeline) => historyFile(timeline) ?? []);
  // The server takes the first timeline whose history the archive does not have. It only looks whether there is one.
  const archive = histories.length === 0 ? "exit 1" : `case %f in ${histories.join("|")}) : >%p;; *) exit 1;; esac`;
  return {
    restore_command: archive,
    recovery_target_timeline: histories.length === 0 ? "latest" : "current",
    // A single-user server cannot take clients while it recovers, and fails if it prepares for them.
    hot_standby: "off",
    archive_cleanup_command: "",
    recovery_end_command: "",
    recovery_min_apply_delay: "0",
  };
}

/** A segment's name in pg_wal: timeline, number in two halves, and for one that a new timeline cut off, an ending. */
const segmentPattern = /^([0-9A-F]{8})([0-9A-F]{16})(\.partial)?$/;

/** A shutdown checkpoint's record is shorter than this, bytes: it may end in the next segment. */
const recordBytes = 8192n;

/**
 * Removes from pg_wal what a server that goes on from this clean stop does not need, or would archive under a name that belongs to
 * the captured server. The history of its timeline is left to be archived, if there is an archive.
 *
 * @param at Timeline and place of the last checkpoint.
 */
export function leaveOwnWal(
  walDir: string,
  { uid }: Owner,
  at: { readonly timeline: number; readonly checkpointLsn: string },
  segmentBytes: number,
  archiving: "on" | "off",
): void {
  const size = BigInt(segmentBytes);
  const begin = parseLsn(at.checkpointLsn);
  const [first = "", last = ""] = [begin, begin + recordBytes].map((lsn) =>
    segmentName(at.timeline, lsn / size, segmentBytes),
  );
  const wal = Folder.open(walDir);
  if (wal.owner.uid !== uid) throw new Error(`${walDir} does not belong to the server's user`);
  const status = wal.folder("archive_status");
  try {
    for (const { name } of status.entries()) status.remove(name);
    for (const { name } of wal.entries()) {
      const [, timeline = "", number = "", ending] = segmentPattern.exec(name) ?? [];
      if (timeline === "") continue;
      // The numbers are in the order of the log, whatever the timelines.
      if (number < first.slice(8) && ending === undefined) status.write(`${name}.done`, "create", "");
      else if (name !== first && name !== last) wal.remove(name);
    }
    const history = historyFile(at.timeline);
    if (archiving === "on" && history !== undefined && wal.kind(history) === "file")
      status.write(`${history}.ready`, "create", "");
  } finally {
    status.close();
    wal.close();
  }
}
