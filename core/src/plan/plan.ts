import type { Who } from "../base/errors/details.js";
import type {
  Component,
  Consistency,
  Cut,
  Fault,
  LeaseMark,
  Qualities,
  RequesterMark,
  Volume,
} from "../base/schema/types.js";

/** What a requester asks for. */
export interface SnapshotRequest {
  /** Paths, mount points, block devices, or `writer:INSTANCE`. */
  targets: readonly string[];
  name?: string;
  tags?: Readonly<Record<string, string>>;
  /** The lowest consistency that counts as success. Default: what the plan promises. */
  require?: Exclude<Consistency, "none">;
  /** Holds also what carries `/`, holdstill or its state: last, and released first. */
  includeRoot?: boolean;
  /** Whose life bounds the set's. Default: the set stays until it is deleted. */
  lease?: LeaseMark;
  /** The id that the set is to have. Default: a new one. */
  id?: string;
  /** Who asked the service for it. */
  requester?: RequesterMark;
}

export interface PlannedVolume {
  readonly volume: Volume;
  /** Instance name. */
  readonly provider: string;
  readonly qualities: Qualities;
}

export interface PlannedWriter {
  readonly who: Who;
  readonly policy: "required" | "best-effort";
  readonly components: readonly Component[];
  /** Ids of the volumes that its components lie on. */
  readonly volumes: readonly string[];
  /** How these are captured; what else is in the set does not matter to it. */
  readonly cut: Cut;
}

export interface PlannedProvider {
  readonly who: Who;
  readonly volumes: readonly Volume[];
}

/** Something that will be in the set, and the consistency that the plan promises for it. */
export interface PlannedComponent {
  /** Instance name; null for paths that no writer owns. */
  readonly writer: string | null;
  readonly component: Component;
  readonly volumes: readonly string[];
  /** How these volumes are captured. */
  readonly cut: Cut;
  /** Whether the kernel holds them all meanwhile. */
  readonly held: boolean;
  readonly promised: Consistency;
  /** Why it is not `application`. */
  readonly reason?: string;
}

/** Everything that will happen, before anything is touched. */
export interface Plan {
  readonly id: string;
  readonly request: SnapshotRequest;
  readonly cut: Cut;
  readonly volumes: readonly PlannedVolume[];
  readonly writers: readonly PlannedWriter[];
  readonly providers: readonly PlannedProvider[];
  readonly components: readonly PlannedComponent[];
  readonly leftOut: readonly { who: Who; error: Fault }[];
  readonly warnings: readonly string[];
  /** The lowest of the components. */
  readonly promised: Consistency;
  readonly asked: Consistency;
}
