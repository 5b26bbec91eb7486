import { statSync } from "node:fs";
import type { Damaged } from "../../store/catalog.js";
import { ownerOf } from "../../store/owner.js";
import { judgeRetention, type Retention, type RetentionVerdict } from "../../store/retention.js";
import { type LimitsMs, type Settings, settingsOf } from "../../base/config/settings.js";
import { HoldstillError, isHoldstillError, toFault } from "../../base/errors/error.js";
import type { ExitCode } from "../../base/errors/exit.js";
import { endingOf } from "../../base/errors/outcome.js";
import type { Plan, SnapshotRequest } from "../../plan/plan.js";
import { withCurrentUsage } from "../../engine/usage/usage.js";
import type { LeaseTerms } from "../../engine/lease/leased-set.js";
import type { TemporarySets, TemporarySet, SetAccess } from "../../engine/lease/temporary-set.js";
import type { RunJob, RunResult } from "../../engine/lease/run-command.js";
import type {
  BackupResult,
  Completed,
  TransactionResult,
  Leftover,
  ProviderStatus,
  SilentProvider,
  Watcher,
  WriterStatus,
} from "../../engine/types.js";
import type {
  EndedEvent,
  Health,
  LeaseState,
  PastTransaction,
  ProviderCapabilities,
  Residue,
  SnapshotSet,
} from "../../base/schema/types.js";
import { validateOpenly } from "../../base/schema/validate.js";
import type { EngineApi, ListedSets, Removal } from "../../engine/api.js";
import { flawOf } from "../../engine/sets/flaw.js";
import { ServiceConnection } from "./http.js";
import { defined, documentOf } from "./set-request.js";

/** The engine of the service: the same calls with the same results, with the rights of the caller. */
export class RemoteEngine implements EngineApi, TemporarySets {
  readonly settings: Settings;
  readonly #service: ServiceConnection;

  private constructor(settings: Settings, service: ServiceConnection) {
    this.settings = settings;
    this.#service = service;
  }

  /** null: no service responds, it uses another state, or the caller does not have a right there. */
  static async connect(settings: Settings): Promise<RemoteEngine | null> {
    const service = new ServiceConnection(settings.service.socket);
    try {
      const health = await service.call("GET", "/v1/health", "service#/$defs/health");
      if (!isOurs(health, settings) || health.you.rights.length === 0) return null;
      // The limits and the state directory of the service apply.
      const { stateDir } = health;
      return new RemoteEngine({ ...settings, stateDir, limits: health.limitsMs as LimitsMs }, service);
    } catch (error) {
      if (isHoldstillError(error) && error.code === "E_SERVICE_LOST") return null;
      throw error;
    }
  }

  /** The service that listens there, with any state. @throws HoldstillError E_SERVICE_LOST */
  static async at(socket: string): Promise<RemoteEngine> {
    const service = new ServiceConnection(socket);
    const { config, stateDir, limitsMs } = await service.call("GET", "/v1/health", "service#/$defs/health");
    const known = { stateDir, service: { socket } };
    const settings = settingsOf(known, config, () => undefined, { cwd: "/", env: {} });
    return new RemoteEngine({ ...settings, limits: limitsMs as LimitsMs }, service);
  }

  async plan(request: SnapshotRequest, { signal }: Watcher = {}): Promise<Plan> {
    const { targets, require, includeRoot, repair } = documentOf(request);
    const body = { targets, ...defined({ require, includeRoot, repair }) };
    const made = await this.#service.call("POST", "/v1/plans", "service#/$defs/plan", body, signal);
    return { ...made, request: { ...request, targets: [...targets] } };
  }

  /** @param lease The set is removed unless its lease is renewed or attended within this time, such as "60s". Without it, the set stays. */
  async create(
    request: SnapshotRequest,
    { onEvent, signal }: Watcher = {},
    lease?: string,
  ): Promise<TransactionResult> {
    signal?.throwIfAborted();
    const body = { ...documentOf(request), ...defined({ lease }) };
    const { id } = await this.#service.call("POST", "/v1/sets", "service#/$defs/operation", body);
    const operation = `/v1/operations/${id}`;
    const interrupt = (): void => {
      this.#service.call("DELETE", operation, "service#/$defs/operation").catch(() => {
        // If the service is gone, the events end, and that is reported.
      });
    };
    signal?.addEventListener("abort", interrupt, { once: true });
    const ends: EndedEvent[] = [];
    try {
      for await (const received of this.#service.events(`${operation}/events`)) {
        const checked = validateOpenly("event", received, "an event");
        if (!checked.ok) continue;
        onEvent?.(checked.value);
        if (checked.value.type === "ended") ends.push(checked.value);
      }
    } finally {
      signal?.removeEventListener("abort", interrupt);
    }
    return this.#ended(operation).catch((error: unknown) => {
      // A service that stops still sends `ended`, but no longer responds.
      const [end] = ends;
      if (end === undefined || end.set !== undefined || end.outcome === "refused") throw error;
      return endedAs(end);
    });
  }

  /** Restarts the time of the set's lease. */
  renew(key: string): Promise<LeaseState> {
    return this.#service.call("POST", `${setPath(key)}/lease`, "service#/$defs/lease");
  }

  /** The set lives while this waits. Rejects when the set or the service is gone, or with the reason of `signal`. */
  async attend(key: string, signal: AbortSignal): Promise<never> {
    for (;;)
      await this.#service.call("GET", `${setPath(key)}/lease?timeout=1h`, "service#/$defs/lease", undefined, signal);
  }

  /** Removes the set now. */
  async giveUp(key: string): Promise<void> {
    await this.#service.call("DELETE", `${setPath(key)}/lease`, "service#/$defs/deleted");
  }

  /** Unexposes the set, and ends its lease: the set stays. */
  keep(key: string): Promise<SnapshotSet> {
    return this.#service.call("POST", `${setPath(key)}/keep`, "snapshot-set");
  }

  async withTemporarySet<T>(
    request: SnapshotRequest,
    _sharing: SetAccess,
    watching: Watcher,
    use: (set: TemporarySet) => Promise<T>,
  ): Promise<{ ended: TransactionResult; result: T | null }> {
    const { withRemoteSet } = await import("./remote-set.js");
    return withRemoteSet(this, request, watching, use);
  }

  async run(request: SnapshotRequest, job: RunJob, watching: Watcher = {}): Promise<RunResult> {
    const { runWithSet } = await import("../../engine/lease/run-command.js");
    return runWithSet(this, request, job, watching);
  }

  async hold(request: SnapshotRequest, terms: LeaseTerms, watching: Watcher = {}): Promise<TransactionResult> {
    const { holdLease } = await import("../../engine/lease/leased-set.js");
    return holdLease(this, request, terms, watching);
  }

  async list(): Promise<{ sets: SnapshotSet[]; damaged: Damaged[] }> {
    const { sets, damaged } = await this.#service.call("GET", "/v1/sets", "service#/$defs/sets");
    return { sets, damaged: damaged as unknown as Damaged[] };
  }

  show(key: string): Promise<SnapshotSet> {
    return this.#service.call("GET", setPath(key), "snapshot-set");
  }

  /** Without `at`: other mounts must be made by the process that needs them. */
  async expose(key: string, at: string | null = null): Promise<SnapshotSet> {
    if (at !== null) throw new Error("the service exposes only below its exposeDir");
    return this.#service.call("POST", `${setPath(key)}/expose`, "snapshot-set");
  }

  unexpose(key: string): Promise<SnapshotSet> {
    return this.#service.call("POST", `${setPath(key)}/unexpose`, "snapshot-set");
  }

  verify(key: string): Promise<SnapshotSet> {
    return this.#service.call("POST", `${setPath(key)}/verify`, "snapshot-set");
  }

  /** If this is interrupted, the service goes on. */
  repair(key: string, signal?: AbortSignal): Promise<SnapshotSet> {
    return this.#service.call("POST", `${setPath(key)}/repair`, "snapshot-set", undefined, signal);
  }

  complete(key: string, result: BackupResult): Promise<Completed> {
    return this.#service.call("POST", `${setPath(key)}/complete`, "service#/$defs/completed", result);
  }

  async removeAll(ids: readonly string[]): Promise<Removal> {
    const deleted: string[] = [];
    const failed: Removal["failed"] = [];
    const unseen: NonNullable<Removal["unseen"]> = [];
    for (const id of ids) {
      try {
        const { unseen: snapshots } = await this.#service.call("DELETE", setPath(id), "service#/$defs/deleted");
        deleted.push(id);
        if (snapshots !== undefined) unseen.push({ set: id, snapshots });
      } catch (error) {
        failed.push({ set: id, error: toFault(error) });
      }
    }
    return { deleted, failed, ...(unseen.length > 0 ? { unseen } : {}) };
  }

  async judge(
    retention: Retention,
    only: (set: SnapshotSet) => boolean = () => true,
    listed?: ListedSets,
  ): Promise<{ verdicts: RetentionVerdict[]; damaged: Damaged[] }> {
    const { sets, damaged } = listed ?? (await this.list());
    const keeper = keeperOf(this.settings);
    const self = process.getuid?.() ?? 0;
    // Only root, and the user that runs the service, prune the sets of others.
    const isMine = ({ requester }: SnapshotSet): boolean =>
      self === 0 || self === keeper || ownerOf(requester, keeper) === self;
    const selected = sets.filter((set) => isMine(set) && only(set));
    return { verdicts: judgeRetention(selected, retention, new Date(), flawOf, keeper), damaged };
  }

  async leftovers(): Promise<Leftover[]> {
    const { leftovers } = await this.#service.call("GET", "/v1/leftovers", "service#/$defs/leftovers");
    return leftovers;
  }

  async recover(leftovers: readonly Leftover[]): Promise<{ done: Leftover[]; residue: Residue[] }> {
    return this.#service.call("POST", "/v1/recovery", "service#/$defs/recovered", { leftovers });
  }

  async writers(): Promise<WriterStatus[]> {
    const { writers } = await this.#service.call("GET", "/v1/writers", "service#/$defs/writers");
    return writers as unknown as WriterStatus[];
  }

  async providers(): Promise<ProviderStatus[]> {
    const { providers } = await this.#service.call("GET", "/v1/providers", "service#/$defs/providers");
    return providers as ProviderStatus[];
  }

  async capabilities(): Promise<ProviderCapabilities[]> {
    return (await this.#service.call("GET", "/v1/capabilities", "service#/$defs/capabilities")).capabilities;
  }

  async history(): Promise<PastTransaction[]> {
    return (await this.#service.call("GET", "/v1/history", "service#/$defs/history")).history;
  }

  async withUsage(sets: readonly SnapshotSet[]): Promise<{ sets: SnapshotSet[]; silent: SilentProvider[] }> {
    const providers = await this.providers();
    return { sets: withCurrentUsage(sets, providers), silent: providers.filter((one) => "error" in one) };
  }

  async #ended(operation: string): Promise<TransactionResult> {
    const { state } = await this.#service.call("GET", operation, "service#/$defs/operation");
    if (state.type !== "ended") {
      const reason = "its events ended before the operation did";
      throw new HoldstillError("E_SERVICE_LOST", { socket: this.#service.socket, reason });
    }
    const { outcome, exitCode, set, error, residue, timeline } = state.result;
    // The engine throws an error for what it refuses.
    if (outcome === "refused") throw this.#service.errorOf(error);
    return {
      outcome,
      exitCode: exitCode as ExitCode,
      set: set === undefined ? null : await this.show(set),
      error: error ?? null,
      residue,
      timeline,
    };
  }
}

/** From the last event of an operation that made no set. */
const endedAs = ({ error, residue }: EndedEvent): TransactionResult => ({
  ...endingOf(error?.code ?? "E_SERVICE_LOST", residue.length > 0 ? "residue" : "undone"),
  set: null,
  error: error ?? null,
  residue,
  timeline: [],
});

/** The user that the state of the service belongs to. */
const keeperOf = ({ stateDir }: Settings): number => statSync(stateDir, { throwIfNoEntry: false })?.uid ?? 0;

const setPath = (key: string): string => `/v1/sets/${encodeURIComponent(key)}`;

/** Whether the service uses the state that this user means. */
function isOurs({ config, stateDir }: Health, settings: Settings): boolean {
  if (stateDir === settings.stateDir) return true;
  if (process.getuid?.() === 0) return false;
  return settings.file === null || settings.file === config;
}
