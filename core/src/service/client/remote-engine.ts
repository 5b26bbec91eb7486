import path from "node:path";
import type { Damaged } from "../../store/catalog.js";
import { judgeRetention, type Retention, type RetentionVerdict } from "../../store/retention.js";
import { type LimitsMs, type Settings, settingsOf } from "../../base/config/settings.js";
import { HoldstillError, isHoldstillError, toFault } from "../../base/errors/error.js";
import type { ExitCode } from "../../base/errors/exit.js";
import type { Plan, SnapshotRequest } from "../../plan/plan.js";
import { withCurrentUsage } from "../../engine/usage/usage.js";
import type { LeaseTerms } from "../../engine/lease/leased-set.js";
import type { TemporarySets, TemporarySet, SetAccess } from "../../engine/lease/temporary-set.js";
import type { RunJob, RunResult } from "../../engine/lease/run-command.js";
import type {
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
  Fault,
  Health,
  LeaseState,
  PastTransaction,
  Residue,
  SetRequest,
  SnapshotSet,
} from "../../base/schema/types.js";
import { validate } from "../../base/schema/validate.js";
import type { EngineApi } from "./door.js";
import { ServiceConnection } from "./http.js";

/** The requester by way of the service: the same calls with the same answers, as whoever calls. */
export class RemoteEngine implements EngineApi, TemporarySets {
  readonly settings: Settings;
  readonly #service: ServiceConnection;

  private constructor(settings: Settings, service: ServiceConnection) {
    this.settings = settings;
    this.#service = service;
  }

  /** null: no service answers, it is another's, or one may do nothing there. */
  static async connect(settings: Settings): Promise<RemoteEngine | null> {
    const service = new ServiceConnection(settings.service.socket);
    try {
      const health = await service.ask("GET", "/v1/health", "service#/$defs/health");
      if (!isOurs(health, settings) || health.you.rights.length === 0) return null;
      // What counts is how long the service waits, and where it keeps its sets.
      const { stateDir } = health;
      return new RemoteEngine({ ...settings, stateDir, limits: health.limitsMs as LimitsMs }, service);
    } catch (error) {
      if (isHoldstillError(error) && error.code === "E_SERVICE_LOST") return null;
      throw error;
    }
  }

  /** Whatever service it is that listens there. @throws HoldstillError E_SERVICE_LOST */
  static async at(socket: string): Promise<RemoteEngine> {
    const service = new ServiceConnection(socket);
    const { config, stateDir, limitsMs } = await service.ask("GET", "/v1/health", "service#/$defs/health");
    const told = { stateDir, service: { socket } };
    const settings = settingsOf(told, config, () => undefined, { cwd: "/", env: {} });
    return new RemoteEngine({ ...settings, limits: limitsMs as LimitsMs }, service);
  }

  async plan(request: SnapshotRequest, { signal }: Watcher = {}): Promise<Plan> {
    const { targets, require, includeRoot } = documentOf(request);
    const body = { targets, ...defined({ require, includeRoot }) };
    const made = await this.#service.ask("POST", "/v1/plans", "service#/$defs/plan", body, signal);
    // The schema is that of the type, which says more of what plugins answer.
    return { ...(made as unknown as Plan), request };
  }

  /** @param lease The set goes unless its lease is renewed, or attended, at least this often, as "60s". Without it the set stays. */
  async create(
    request: SnapshotRequest,
    { onEvent, signal }: Watcher = {},
    lease?: string,
  ): Promise<TransactionResult> {
    signal?.throwIfAborted();
    const body = { ...documentOf(request), ...defined({ lease }) };
    const { id } = await this.#service.ask("POST", "/v1/sets", "service#/$defs/operation", body);
    const operation = `/v1/operations/${id}`;
    const interrupt = (): void => {
      this.#service.ask("DELETE", operation, "service#/$defs/operation").catch(() => {
        // If the service is gone, the events end, and that is told.
      });
    };
    signal?.addEventListener("abort", interrupt, { once: true });
    const ends: EndedEvent[] = [];
    try {
      for await (const told of this.#service.events(`${operation}/events`)) {
        const checked = validate("event", told, "an event");
        if (!checked.ok) continue;
        onEvent?.(checked.value);
        if (checked.value.type === "ended") ends.push(checked.value);
      }
    } finally {
      signal?.removeEventListener("abort", interrupt);
    }
    return this.#ended(operation).catch((error: unknown) => {
      // A service that is told to end says what became of it, and answers nothing any more.
      const [end] = ends;
      if (end === undefined || end.set !== undefined || end.outcome === "refused") throw error;
      return endedAs(end);
    });
  }

  /** The set's lease runs from its beginning again. */
  renew(key: string): Promise<LeaseState> {
    return this.#service.ask("POST", `${placeOf(key)}/lease`, "service#/$defs/lease");
  }

  /** The set lives while this waits. Rejects when the set is gone, the service is, or with what `signal` was aborted with. */
  async attend(key: string, signal: AbortSignal): Promise<never> {
    for (;;)
      await this.#service.ask("GET", `${placeOf(key)}/lease?timeout=1h`, "service#/$defs/lease", undefined, signal);
  }

  /** The set goes now. */
  async giveUp(key: string): Promise<void> {
    await this.#service.ask("DELETE", `${placeOf(key)}/lease`, "service#/$defs/deleted");
  }

  /** The set is unexposed, and stays: it has no lease any more. */
  keep(key: string): Promise<SnapshotSet> {
    return this.#service.ask("POST", `${placeOf(key)}/keep`, "snapshot-set");
  }

  async withTemporarySet<T>(
    request: SnapshotRequest,
    _sharing: SetAccess,
    watching: Watcher,
    use: (loan: TemporarySet) => Promise<T>,
  ): Promise<{ ended: TransactionResult; result: T | null }> {
    const { withRemoteSet: lend } = await import("./remote-set.js");
    return lend(this, request, watching, use);
  }

  async run(request: SnapshotRequest, job: RunJob, watching: Watcher = {}): Promise<RunResult> {
    const { runWithSet: run } = await import("../../engine/lease/run-command.js");
    return run(this, request, job, watching);
  }

  async hold(request: SnapshotRequest, tenancy: LeaseTerms, watching: Watcher = {}): Promise<TransactionResult> {
    const { holdLease: hold } = await import("../../engine/lease/leased-set.js");
    return hold(this, request, tenancy, watching);
  }

  async list(): Promise<{ sets: SnapshotSet[]; damaged: Damaged[] }> {
    const { sets, damaged } = await this.#service.ask("GET", "/v1/sets", "service#/$defs/sets");
    return { sets, damaged: damaged as unknown as Damaged[] };
  }

  show(key: string): Promise<SnapshotSet> {
    return this.#service.ask("GET", placeOf(key), "snapshot-set");
  }

  /** @throws HoldstillError E_USAGE with `at`: mounts elsewhere are made by who asks for them. */
  async expose(key: string, at: string | null = null): Promise<SnapshotSet> {
    if (at !== null) throw new Error("the service exposes in its own place only");
    return this.#service.ask("POST", `${placeOf(key)}/expose`, "snapshot-set");
  }

  unexpose(key: string): Promise<SnapshotSet> {
    return this.#service.ask("POST", `${placeOf(key)}/unexpose`, "snapshot-set");
  }

  verify(key: string): Promise<SnapshotSet> {
    return this.#service.ask("POST", `${placeOf(key)}/verify`, "snapshot-set");
  }

  complete(key: string, outcome: Parameters<EngineApi["complete"]>[1]): Promise<Completed> {
    return this.#service.ask("POST", `${placeOf(key)}/complete`, "service#/$defs/completed", outcome);
  }

  async removeAll(ids: readonly string[]): Promise<{ deleted: string[]; failed: { set: string; error: Fault }[] }> {
    const deleted: string[] = [];
    const failed: { set: string; error: Fault }[] = [];
    for (const id of ids) {
      try {
        await this.#service.ask("DELETE", placeOf(id), "service#/$defs/deleted");
        deleted.push(id);
      } catch (error) {
        failed.push({ set: id, error: toFault(error) });
      }
    }
    return { deleted, failed };
  }

  async judge(
    retention: Retention,
    only: (set: SnapshotSet) => boolean = () => true,
  ): Promise<{ verdicts: RetentionVerdict[]; damaged: Damaged[] }> {
    const { sets, damaged } = await this.list();
    const meant = sets.filter((set) => only(set));
    return { verdicts: judgeRetention(meant, retention, new Date()), damaged };
  }

  async leftovers(): Promise<Leftover[]> {
    const { leftovers } = await this.#service.ask("GET", "/v1/leftovers", "service#/$defs/leftovers");
    return leftovers;
  }

  async recover(leftovers: readonly Leftover[]): Promise<{ done: Leftover[]; residue: Residue[] }> {
    return this.#service.ask("POST", "/v1/recovery", "service#/$defs/recovered", { leftovers });
  }

  async writers(): Promise<WriterStatus[]> {
    const { writers } = await this.#service.ask("GET", "/v1/writers", "service#/$defs/writers");
    return writers as unknown as WriterStatus[];
  }

  async providers(): Promise<ProviderStatus[]> {
    const { providers } = await this.#service.ask("GET", "/v1/providers", "service#/$defs/providers");
    return providers as ProviderStatus[];
  }

  async history(): Promise<PastTransaction[]> {
    return (await this.#service.ask("GET", "/v1/history", "service#/$defs/history")).history;
  }

  async withUsage(sets: readonly SnapshotSet[]): Promise<{ sets: SnapshotSet[]; silent: SilentProvider[] }> {
    const providers = await this.providers();
    return { sets: withCurrentUsage(sets, providers), silent: providers.filter((one) => "error" in one) };
  }

  async #ended(operation: string): Promise<TransactionResult> {
    const { state } = await this.#service.ask("GET", operation, "service#/$defs/operation");
    if (state.type !== "ended") {
      const reason = "its events ended before the operation did";
      throw new HoldstillError("E_SERVICE_LOST", { socket: this.#service.socket, reason });
    }
    const { outcome, exitCode, set, error, residue, timeline } = state.result;
    // The engine throws what it refuses.
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

/** As far as its last event tells, of one that made no set. */
const endedAs = ({ outcome, exitCode, error, residue }: EndedEvent): TransactionResult => ({
  outcome: outcome === "refused" ? "aborted" : outcome,
  exitCode: exitCode as ExitCode,
  set: null,
  error: error ?? null,
  residue,
  timeline: [],
});

const placeOf = (key: string): string => `/v1/sets/${encodeURIComponent(key)}`;

/** The same state is meant; or there is nothing else that this user could mean. */
function isOurs({ config, stateDir }: Health, settings: Settings): boolean {
  if (stateDir === settings.stateDir) return true;
  if (process.getuid?.() === 0) return false;
  return settings.file === null || settings.file === config;
}

/** A relative path is one of here, and the service is elsewhere. */
function documentOf({ targets, name, tags, require, includeRoot }: SnapshotRequest): SetRequest {
  const absolute = targets.map((target) => (target.startsWith("writer:") ? target : path.resolve(target)));
  return {
    targets: [...new Set(absolute)],
    ...defined({ name, require, includeRoot }),
    ...(tags === undefined ? {} : { tags }),
  };
}

function defined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
