import type { Damaged } from "../../store/catalog.js";
import type { Settings } from "../../base/config/settings.js";
import type { Requester } from "../../engine/engine.js";
import type { SnapshotSet } from "../../base/schema/types.js";

type Shared =
  | "plan"
  | "create"
  | "run"
  | "hold"
  | "judge"
  | "leftovers"
  | "recover"
  | "expose"
  | "conceal"
  | "verify"
  | "complete"
  | "removeAll"
  | "writers"
  | "providers"
  | "history"
  | "asOfNow";

/** What both doors lead to: the engine in this process, and the one of the service. */
export interface Door extends Pick<Requester, Shared> {
  readonly settings: Settings;
  list(): { sets: SnapshotSet[]; damaged: Damaged[] } | Promise<{ sets: SnapshotSet[]; damaged: Damaged[] }>;
  show(key: string): SnapshotSet | Promise<SnapshotSet>;
}
