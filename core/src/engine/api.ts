import type { Settings } from "../base/config/settings.js";
import type { Fault, PastTransaction, ProviderCapabilities, Residue, SnapshotSet } from "../base/schema/types.js";
import type { Plan, SnapshotRequest } from "../plan/plan.js";
import type { Damaged } from "../store/catalog.js";
import type { Retention, RetentionVerdict } from "../store/retention.js";
import type { LeaseTerms } from "./lease/leased-set.js";
import type { RunJob, RunResult } from "./lease/run-command.js";
import type {
  BackupResult,
  Completed,
  Leftover,
  ProviderStatus,
  SilentProvider,
  TransactionResult,
  Watcher,
  WriterStatus,
} from "./types.js";

/*
 * What the engine of this process and that of the service (service/client/remote-engine.ts) have in common. Each part has a facade of
 * its own, which loads no more than the part needs: catalog-engine.ts, planning-engine.ts, creating-engine.ts, engine.ts.
 */

/** What the service has to ask for, the engine of this process has at once. */
type Soon<T> = T | Promise<T>;

export interface ListedSets {
  sets: SnapshotSet[];
  damaged: Damaged[];
}

export interface CatalogApi {
  readonly settings: Settings;
  list(): Soon<ListedSets>;
  show(key: string): Soon<SnapshotSet>;
  history(): Soon<PastTransaction[]>;
  judge(
    retention: Retention,
    only?: (set: SnapshotSet) => boolean,
    listed?: ListedSets,
  ): Promise<{ verdicts: RetentionVerdict[]; damaged: Damaged[] }>;
}

export interface PlanApi extends CatalogApi {
  plan(request: SnapshotRequest, watcher?: Watcher): Promise<Plan>;
}

export interface CreateApi extends PlanApi {
  create(request: SnapshotRequest, watcher?: Watcher): Promise<TransactionResult>;
}

export interface EngineApi extends CreateApi {
  run(request: SnapshotRequest, job: RunJob, watcher?: Watcher): Promise<RunResult>;
  hold(request: SnapshotRequest, terms: LeaseTerms, watcher?: Watcher): Promise<TransactionResult>;
  expose(key: string, at?: string | null): Promise<SnapshotSet>;
  unexpose(key: string): Promise<SnapshotSet>;
  verify(key: string): Promise<SnapshotSet>;
  repair(key: string, signal?: AbortSignal): Promise<SnapshotSet>;
  complete(key: string, result: BackupResult): Promise<Completed>;
  removeAll(ids: readonly string[]): Promise<Removal>;
  leftovers(): Promise<Leftover[]>;
  recover(leftovers: readonly Leftover[]): Promise<{ done: Leftover[]; residue: Residue[] }>;
  writers(): Promise<WriterStatus[]>;
  providers(): Promise<ProviderStatus[]>;
  capabilities(): Promise<ProviderCapabilities[]>;
  withUsage(sets: readonly SnapshotSet[]): Promise<{ sets: SnapshotSet[]; silent: SilentProvider[] }>;
}

/** Which sets were deleted, and why others were not. */
export interface Removal {
  deleted: string[];
  failed: { set: string; error: Fault }[];
  /** Of deleted sets: the snapshots that their providers did not list before, and that may still exist. */
  unseen?: { set: string; snapshots: string[]; errors?: Fault[] }[];
  /** Sets whose record was removed although a snapshot could not be; only if that was asked for. */
  forgotten?: { set: string; error: Fault }[];
}
