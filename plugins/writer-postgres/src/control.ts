import { PluginError } from "./errors.js";
import { readBeginning } from "./read-beginning.js";
import { formatLsn } from "./wal.js";

/** What pg_control has about a cluster whose server does not run. */
export interface Control {
  readonly systemIdentifier: string;
  readonly state: "shut down" | "in use";
  /** Where redo would begin. */
  readonly redoLsn: string;
  /** The last checkpoint: where a cluster that was shut down ends. */
  readonly checkpointLsn: string;
  readonly timeline: number;
}

/** DB_SHUTDOWNED and DB_SHUTDOWNED_IN_RECOVERY. */
const shutDown = [1, 2];

/** Of the part that is read, bytes. */
const length = 52;

/**
 * Reads global/pg_control, whose beginning is the same in versions 13 to 18 (src/include/catalog/pg_control.h).
 *
 * @throws PG_RECOVERY if it is too short: no server starts on it.
 */
export function readControl(file: string): Control {
  const bytes = readBeginning(file, length);
  if (bytes.length < length)
    throw new PluginError("PG_RECOVERY", `${file} is too short: ${bytes.length} bytes`, "Take the snapshot again.");
  return {
    systemIdentifier: bytes.readBigUInt64LE(0).toString(),
    state: shutDown.includes(bytes.readInt32LE(16)) ? "shut down" : "in use",
    checkpointLsn: formatLsn(bytes.readBigUInt64LE(32)),
    redoLsn: formatLsn(bytes.readBigUInt64LE(40)),
    timeline: bytes.readUInt32LE(48),
  };
}
