import type { Damaged } from "../store/catalog.js";
import type { Settings } from "../base/config/settings.js";
import type { Engine } from "./engine.js";
import type { SnapshotSet } from "../base/schema/types.js";

type Shared =
  | "plan"
  | "create"
  | "run"
  | "hold"
  | "judge"
  | "leftovers"
  | "recover"
  | "expose"
  | "unexpose"
  | "verify"
  | "complete"
  | "removeAll"
  | "writers"
  | "providers"
  | "history"
  | "withUsage";

/** What both doors lead to: the engine in this process, and the one of the service. */
export interface EngineApi extends Pick<Engine, Shared> {
  readonly settings: Settings;
  list(): { sets: SnapshotSet[]; damaged: Damaged[] } | Promise<{ sets: SnapshotSet[]; damaged: Damaged[] }>;
  show(key: string): SnapshotSet | Promise<SnapshotSet>;
}
