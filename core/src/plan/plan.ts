import type { Consistency, LeaseMark, RepairTime, RequesterMark } from "../base/schema/types.js";

/** A plan has the types of the schema: what `plan` prints is the plan itself. */
export type { Plan, PlannedComponent, PlannedProvider, PlannedVolume, PlannedWriter } from "../base/schema/types.js";

/**
 * What a requester asks for. Unlike PlannedRequest of the schema it is read-only, so that a caller of the library may pass
 * constants.
 */
export interface SnapshotRequest {
  /** Paths, mount points, block devices, or `writer:INSTANCE`. */
  targets: readonly string[];
  name?: string;
  tags?: Readonly<Record<string, string>>;
  /** The lowest consistency that counts as success. Default: what the plan promises, and at least `crash` of a writer that is a target. */
  require?: Consistency;
  /** Also holds volumes that carry `/`, holdstill, or its state: last, and released first. */
  includeRoot?: boolean;
  /** When writers repair the snapshots. Default: that of the config, or `inline`. */
  repair?: RepairTime;
  /** The set is deleted when this lease ends. Default: the set stays until it is deleted. */
  lease?: LeaseMark;
  /** Until then the set cannot be deleted. ISO 8601. A leased set cannot be retained. */
  retainUntil?: string;
  /** The id of the set. Default: a new one. */
  id?: string;
  /** The process that asked the service for the set. */
  requester?: RequesterMark;
}
