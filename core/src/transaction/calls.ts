import { hostname } from "node:os";
import type { LimitsMs } from "../base/config/settings.js";
import { HoldstillError, isHoldstillError } from "../base/errors/error.js";
import type { Who } from "../base/errors/details.js";
import { type AnySession, isProvider, isWriter, type Session } from "../host/isolation/session.js";
import type { Plan } from "../plan/plan.js";
import type { SetLabel, Transaction, WriterTransaction } from "../host/contract/context.js";
import type { FreezeToken, RecordedSidecar, Repair, Sidecar, Snapshot, Volume } from "../base/schema/types.js";
import type { PluginWorkers } from "../host/plugin-workers.js";
import { monotonic } from "../os/clock.js";
import type { TransactionEvent, TransactionOp } from "./machine.js";
import { awaitReady, isCreating } from "./await-ready.js";
import { checkPrepareAnswer } from "./check-prepare-answer.js";
import type { Repairs, SealedSnapshot } from "./repair.js";
import { checkSealAnswer } from "./check-seal-answer.js";
import type { SidecarFiles, TransactionServices } from "./services.js";

/** What the plugins returned, apart from the fact that they did. */
export interface ParticipantAnswers {
  cutAt: Date;
  readonly facts: Map<string, Record<string, unknown>>;
  readonly sidecars: Map<string, RecordedSidecar>;
  readonly snapshots: SealedSnapshot[];
  readonly repairs: Map<string, Repair>;
}

/** Times in ms. */
export interface CallLimits {
  /** Of the call. */
  readonly limitMs: number;
  /** Until all writers are to be thawed. */
  readonly freezeLeftMs: number;
}

/** Makes the machine's calls to plugins, and turns their results into the machine's events. */
export class TransactionCalls {
  readonly answers: ParticipantAnswers = {
    cutAt: new Date(),
    facts: new Map(),
    sidecars: new Map(),
    snapshots: [],
    repairs: new Map(),
  };
  /** When the seal of a provider had ended whose storage was not finished, by the monotonic clock, ms. */
  readonly sealedAt = new Map<string, number>();
  readonly #plan: Plan;
  readonly #workers: PluginWorkers;
  readonly #repairs: Repairs;
  readonly #sidecars: SidecarFiles;
  readonly #limits: Pick<LimitsMs, "ready" | "identify">;
  /** Ends what is awaited for an actor beside its calls: its files, or its snapshots. */
  readonly #awaited = new Map<string, () => void>();
  /** Actors whose worker a fault has spoilt: abort needs a new one. */
  readonly #spoilt = new Set<string>();

  constructor(
    plan: Plan,
    repairs: Repairs,
    { workers, sidecars, limits }: Pick<TransactionServices, "workers" | "sidecars" | "limits">,
  ) {
    this.#plan = plan;
    this.#workers = workers;
    this.#repairs = repairs;
    this.#sidecars = sidecars;
    this.#limits = limits;
  }

  /** @throws HoldstillError whatever went wrong. */
  async ask(
    actor: string,
    op: TransactionOp,
    token: FreezeToken | null,
    { limitMs, freezeLeftMs }: CallLimits,
  ): Promise<TransactionEvent> {
    if (op === "abort") return this.#undo(actor, token, limitMs);
    try {
      const session = await this.#workers.session(actor);
      if (isWriter(session)) return await this.#askWriter(session, op, token, { limitMs, freezeLeftMs });
      if (isProvider(session)) return await this.#askProvider(session, op, limitMs);
      throw new Error(`${actor} is neither a writer nor a provider`);
    } catch (error) {
      if (isSpoiling(error)) this.#spoilt.add(actor);
      throw error;
    }
  }

  /** Makes the actor's pending call fail at once. */
  async cancel(actor: string): Promise<void> {
    this.#spoilt.add(actor);
    this.#awaited.get(actor)?.();
    const provider = this.#repairs.cancel();
    if (provider !== null) this.#spoilt.add(provider);
    const session = await this.#workers.session(actor).catch(() => null);
    session?.cancel();
  }

  async #askWriter(
    session: Session<"writer">,
    op: TransactionOp,
    token: FreezeToken | null,
    { limitMs, freezeLeftMs }: CallLimits,
  ): Promise<TransactionEvent> {
    const { who } = session;
    const actor = who.instance;
    const tx = this.#writerTx(actor);
    switch (op) {
      case "prepare":
        if (session.offers("prepare")) await session.call("prepare", [{ ...tx, freezeLimitMs: freezeLeftMs }], limitMs);
        return { type: "prepared", actor, section: null };
      case "freeze": {
        const freezing = { ...tx, freezeDeadline: Date.now() + freezeLeftMs };
        return { type: "frozen", actor, token: await session.call("freeze", [freezing], limitMs) };
      }
      case "thaw": {
        const { uninterrupted, reason, facts } = await session.call("thaw", [tx, token ?? {}], limitMs);
        if (!uninterrupted)
          throw new HoldstillError("E_FREEZE_LOST", { who, reason: reason ?? "the writer gave no reason" });
        this.#learn(actor, facts);
        return { type: "thawed", actor };
      }
      case "seal": {
        if (!session.offers("seal")) return { type: "sealed", actor };
        const until = performance.now() + limitMs;
        const sidecar = await session.call("seal", [tx], limitMs);
        this.answers.sidecars.set(actor, await this.#keep(who, tx.sidecarDir, sidecar, until));
        this.#learn(actor, sidecar.facts);
        return { type: "sealed", actor };
      }
      case "repair": {
        const planned = this.#plan.writers.find((one) => one.who.instance === actor) ?? { components: [], volumes: [] };
        const repair = await this.#repairs
          .run(session, planned, tx, this.answers.snapshots, limitMs)
          .finally(() => this.#keepForks(actor));
        this.answers.repairs.set(actor, repair);
        if (repair.state !== "failed") return { type: "repaired", actor };
        throw new HoldstillError("E_REPAIR_FAILED", { who, reason: repair.reason ?? "the writer gave no reason" });
      }
      default:
        throw new Error(`a writer is not asked to ${op}`);
    }
  }

  /** The files get what is left of the limit of seal: their number is the writer's choice. */
  async #keep(who: Who, dir: string, sidecar: Sidecar, until: number): Promise<RecordedSidecar> {
    const ending = new AbortController();
    const timer = setTimeout(() => ending.abort(tooMuch(who, sidecar)), until - performance.now());
    this.#awaited.set(who.instance, () => ending.abort(new HoldstillError("E_CANCELLED", { who, op: "seal" })));
    try {
      return await this.#sidecars.keep(dir, sidecar, who, ending.signal);
    } finally {
      clearTimeout(timer);
      this.#awaited.delete(who.instance);
    }
  }

  async #askProvider(session: Session<"provider">, op: TransactionOp, limitMs: number): Promise<TransactionEvent> {
    const { who } = session;
    const actor = who.instance;
    const tx = this.#tx();
    switch (op) {
      case "prepare": {
        const section = await session.call("prepare", [tx, this.#volumesOf(actor)], limitMs);
        checkPrepareAnswer(who, section, this.#plan.volumes);
        return { type: "prepared", actor, section };
      }
      case "commit":
        this.answers.cutAt = new Date();
        await session.call("commit", [tx], limitMs);
        return { type: "committed", actor };
      case "seal": {
        const snapshots = await session.call("seal", [tx], limitMs);
        checkSealAnswer(who, snapshots, tx.id, this.#volumesOf(actor));
        for (const snapshot of await this.#untilReady(session, snapshots))
          this.answers.snapshots.push({ who, snapshot });
        return { type: "sealed", actor };
      }
      default:
        throw new Error(`a provider is not asked to ${op}`);
    }
  }

  async #untilReady(session: Session<"provider">, snapshots: readonly Snapshot[]): Promise<readonly Snapshot[]> {
    const { who } = session;
    if (snapshots.some(isCreating)) this.sealedAt.set(who.instance, monotonic());
    const ending = new AbortController();
    this.#awaited.set(who.instance, () => ending.abort(new HoldstillError("E_CANCELLED", { who, op: "seal" })));
    const limits = { readyMs: this.#limits.ready, lookMs: this.#limits.identify };
    try {
      return await awaitReady(session, snapshots, limits, ending.signal);
    } finally {
      this.#awaited.delete(who.instance);
    }
  }

  /**
   * In a new worker if the old one is spoilt. If that fails, it is tried once more in another one. A new worker knows nothing of the
   * application, so the freeze's compensation, if there is one, thaws it before the worker is started.
   */
  async #undo(actor: string, token: FreezeToken | null, limitMs: number): Promise<TransactionEvent> {
    const undo = async (session: AnySession): Promise<void> => {
      if (isWriter(session)) await session.call("abort", [this.#writerTx(actor), token], limitMs);
      else if (isProvider(session)) await session.call("abort", [this.#tx()], limitMs);
    };
    const blank = async (): Promise<AnySession> => {
      await this.#workers.compensate(actor, token, limitMs);
      return this.#workers.replace(actor);
    };
    await this.#repairs.settled();
    try {
      await undo(await (this.#spoilt.delete(actor) ? blank() : this.#workers.session(actor)));
    } catch {
      await undo(await blank());
    }
    return { type: "undone", actor };
  }

  /** Also after a repair that failed: what exists is in the record. */
  #keepForks(writer: string): void {
    const { snapshots, repairs } = this.answers;
    const failed = this.#repairs.failedOf(writer);
    if (failed !== undefined) repairs.set(writer, failed);
    const known = new Set(snapshots.map(({ snapshot }) => snapshot.id));
    snapshots.push(...this.#repairs.forks.filter(({ snapshot }) => !known.has(snapshot.id)));
  }

  #learn(actor: string, facts: Record<string, unknown> = {}): void {
    this.answers.facts.set(actor, { ...this.answers.facts.get(actor), ...facts });
  }

  #volumesOf(actor: string): readonly Volume[] {
    return this.#plan.providers.find(({ who }) => who.instance === actor)?.volumes ?? [];
  }

  #tx(): Transaction {
    const { id, cut, request } = this.#plan;
    return { id, cut, label: labelOf(request) };
  }

  #writerTx(actor: string): WriterTransaction {
    const planned = this.#plan.writers.find((writer) => writer.who.instance === actor);
    const { components = [], cut = this.#plan.cut } = planned ?? {};
    return { ...this.#tx(), cut, components, sidecarDir: this.#sidecars.folder(this.#plan.id, actor) };
  }
}

const labelOf = ({ name, tags = {}, retainUntil }: Plan["request"]): SetLabel => ({
  hostname: hostname(),
  ...(name === undefined ? {} : { name }),
  ...(Object.keys(tags).length === 0 ? {} : { tags }),
  ...(retainUntil === undefined ? {} : { retainUntil }),
});

function tooMuch(who: Who, { files }: Sidecar): HoldstillError {
  const what = files.length === 1 ? "the file" : `the ${files.length} files`;
  const reason = `${what} that it left could not be brought to disk and read within the limit of seal.`;
  const pluginHint = "Have it leave less with the set, or raise `limits: { seal: … }` in the config.";
  return new HoldstillError("E_PLUGIN_FAILED", { who, op: "seal", reason, pluginHint });
}

/** After these errors the worker is gone, or its state is unknown. */
function isSpoiling(error: unknown): boolean {
  return (
    isHoldstillError(error) && ["E_DEADLINE", "E_PLUGIN_DIED", "E_CANCELLED", "E_PLUGIN_LOAD"].includes(error.code)
  );
}
