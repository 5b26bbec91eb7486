import type { LimitsMs } from "../config/settings.js";
import type { Who } from "../errors/details.js";
import { HoldstillError, isHoldstillError, toFault } from "../errors/error.js";
import type { Emit } from "../events/emit.js";
import { type AnySession, isProvider, isWriter, type Session } from "../isolation/session.js";
import type { Plan } from "../plan/plan.js";
import type { WriterTransaction, Transaction } from "../plugin/context.js";
import type { Fault, FreezeToken, Residue, Snapshot, SnapshotSet, Span } from "../schema/types.js";
import type { Crew } from "./crew.js";
import { callLimit } from "./deadline.js";
import type { Journal } from "./journal.js";
import * as machine from "./machine.js";
import { phases, type PhaseName } from "./phases.js";
import { recordOf, type WriterAccount } from "./record.js";
import { keepSidecar } from "./sidecar.js";

export interface Services {
  crew: Crew;
  journal: Journal;
  emit: Emit;
  limits: LimitsMs;
  /** Makes the set's record durable: the transaction's commit point. */
  keep(set: SnapshotSet): void;
  sidecarDir(writer: string): string;
  /** Aborted with the error that interrupts. */
  signal: AbortSignal;
  /** Every call is added here when it has ended. */
  timeline: Span[];
}

export type Outcome =
  | { is: "created"; set: SnapshotSet; residue: Residue[] }
  | { is: "aborted"; cause: Fault; residue: Residue[] };

/** Runs the effects of the machine against the plugins until it comes to an end; whatever happens, it does come to an end. */
export function runTransaction(plan: Plan, services: Services): Promise<Outcome> {
  return new Runner(plan, services).run();
}

class Runner {
  readonly #plan: Plan;
  readonly #services: Services;
  readonly #whos: ReadonlyMap<string, Who>;
  readonly #started = performance.now();
  readonly #accounts = new Map<string, WriterAccount>();
  readonly #snapshots: { who: Who; snapshot: Snapshot }[] = [];
  /** Workers that a fault has spoilt: abort needs a blank one. */
  readonly #spoilt = new Set<string>();
  #state: machine.State;
  #frozenAt: number | null = null;
  #thawedAt = 0;
  #cutAt = new Date();
  #set: SnapshotSet | null = null;
  #end!: (outcome: Outcome) => void;

  constructor(plan: Plan, services: Services) {
    this.#plan = plan;
    this.#services = services;
    this.#whos = new Map([...plan.writers, ...plan.providers].map(({ who }) => [who.instance, who]));
    this.#state = machine.plan(actorsOf(plan));
  }

  async run(): Promise<Outcome> {
    const { signal } = this.#services;
    const interrupt = (): void => this.#dispatch({ is: "interrupted", fault: toFault(signal.reason) });
    const ended = new Promise<Outcome>((resolve) => (this.#end = resolve));
    this.#dispatch({ is: "start" });
    if (signal.aborted) interrupt();
    signal.addEventListener("abort", interrupt, { once: true });
    try {
      return await ended;
    } finally {
      signal.removeEventListener("abort", interrupt);
    }
  }

  #dispatch(event: machine.Event): void {
    if (machine.isEnd(this.#state)) return;
    const { state, effects } = machine.step(this.#state, event);
    this.#announce(this.#state, state);
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
    if (machine.isEnd(state)) this.#end(this.#outcome(state));
  }

  #perform(effect: machine.Effect): void {
    switch (effect.do) {
      case "call":
        void this.#call(effect.actor, effect.op, effect.token);
        return;
      case "cancel":
        this.#spoilt.add(effect.actor);
        void this.#services.crew.session(effect.actor).then(
          (session) => session.cancel(),
          () => undefined,
        );
        return;
      case "record":
        void this.#record();
        return;
      case "hold":
      case "release":
        // The plan refuses what needs the kernel to hold (E_HOLD_UNSUPPORTED): there is no keeper yet.
        throw new Error(`nobody can ${effect.do}`);
    }
  }

  /** One call to a plugin; it settles exactly once, with an event. */
  async #call(actor: string, op: machine.Op, token: FreezeToken | null): Promise<void> {
    const limitMs = this.#limit(actor, op);
    const from = this.#now();
    this.#services.emit({ type: "call", actor, op, status: "begun", limitMs });
    let event: machine.Event;
    let fault: Fault | null = null;
    try {
      this.#journal({ entry: "asked", actor, op }, op);
      if (op === "freeze") this.#frozenAt ??= from;
      event = op === "abort" ? await this.#abort(actor, token, limitMs) : await this.#ask(actor, op, token, limitMs);
    } catch (error) {
      fault = toFault(error);
      if (isSpoiling(error)) this.#spoilt.add(actor);
      event = { is: "failed", actor, fault };
    }
    const to = this.#now();
    const outcome = fault === null ? "ok" : "failed";
    this.#services.timeline.push({
      op,
      actor,
      from,
      to,
      limitMs,
      outcome,
      ...(fault === null ? {} : { why: fault.message }),
    });
    this.#account(actor, op, from, to, fault);
    this.#services.emit({
      type: "call",
      actor,
      op,
      status: outcome,
      elapsedMs: to - from,
      ...(fault === null ? {} : { error: fault }),
    });
    const late = this.#journalAnswer(actor, op, event, fault);
    this.#dispatch(late ?? event);
  }

  async #ask(
    actor: string,
    op: Exclude<machine.Op, "abort">,
    token: FreezeToken | null,
    limitMs: number,
  ): Promise<machine.Event> {
    const session = await this.#services.crew.session(actor);
    if (isWriter(session)) return this.#askWriter(session, op, token, limitMs);
    if (isProvider(session)) return this.#askProvider(session, op, limitMs);
    throw new Error(`${actor} is neither a writer nor a provider`);
  }

  async #askWriter(
    session: Session<"writer">,
    op: machine.Op,
    token: FreezeToken | null,
    limitMs: number,
  ): Promise<machine.Event> {
    const { who } = session;
    const actor = who.instance;
    const tx = this.#writerTx(actor);
    switch (op) {
      case "prepare":
        if (session.offers("prepare")) await session.call("prepare", [tx], limitMs);
        return { is: "prepared", actor, section: null };
      case "freeze":
        return { is: "frozen", actor, token: await session.call("freeze", [tx], limitMs) };
      case "thaw": {
        const report = await session.call("thaw", [tx, token ?? {}], limitMs);
        if (!report.held)
          throw new HoldstillError("E_FREEZE_LOST", { who, why: report.why ?? "the writer gave no reason" });
        Object.assign(this.#accountOf(actor).facts, report.facts);
        return { is: "thawed", actor };
      }
      case "seal":
        if (session.offers("seal")) {
          const sidecar = await session.call("seal", [tx], limitMs);
          Object.assign(this.#accountOf(actor).facts, sidecar.facts);
          this.#accountOf(actor).sidecar = await keepSidecar(tx.sidecarDir, sidecar, who);
        }
        return { is: "sealed", actor };
      case "commit":
      case "abort":
        throw new Error(`a writer is not asked to ${op}`);
    }
  }

  async #askProvider(session: Session<"provider">, op: machine.Op, limitMs: number): Promise<machine.Event> {
    const { who } = session;
    const actor = who.instance;
    const tx = this.#tx();
    switch (op) {
      case "prepare": {
        const volumes = this.#plan.providers.find((p) => p.who.instance === actor)?.volumes ?? [];
        const section = await session.call("prepare", [tx, volumes], limitMs);
        const points = section.hold.map((point) => (point.kind === "dm" ? point.name : point.mount));
        if (points.length > 0) throw new HoldstillError("E_HOLD_UNSUPPORTED", { provider: actor, points });
        return { is: "prepared", actor, section };
      }
      case "commit":
        this.#cutAt = new Date();
        await session.call("commit", [tx], limitMs);
        return { is: "committed", actor };
      case "seal": {
        const snapshots = await session.call("seal", [tx], limitMs);
        this.#snapshots.push(...snapshots.map((snapshot) => ({ who, snapshot })));
        return { is: "sealed", actor };
      }
      case "freeze":
      case "thaw":
      case "abort":
        throw new Error(`a provider is not asked to ${op}`);
    }
  }

  /** Undoes, in a blank worker where the old one is spoilt; what fails there is tried once more in another. */
  async #abort(actor: string, token: FreezeToken | null, limitMs: number): Promise<machine.Event> {
    const { crew } = this.#services;
    const undo = async (session: AnySession): Promise<void> => {
      if (isWriter(session)) await session.call("abort", [this.#writerTx(actor), token], limitMs);
      else if (isProvider(session)) await session.call("abort", [this.#tx()], limitMs);
    };
    try {
      await undo(await (this.#spoilt.delete(actor) ? crew.replace(actor) : crew.session(actor)));
    } catch {
      await undo(await crew.replace(actor));
    }
    return { is: "undone", actor };
  }

  async #record(): Promise<void> {
    const frozenMs = this.#frozenAt === null ? 0 : this.#thawedAt - this.#frozenAt;
    const achieved = {
      cutAt: this.#cutAt,
      frozenMs,
      writers: this.#accounts,
      snapshots: this.#snapshots,
      timeline: this.#services.timeline,
    };
    // Not in the same turn as the event that led here: the machine must have taken its step.
    await Promise.resolve();
    if (this.#state.at !== "recording") return;
    try {
      const set = recordOf(this.#plan, achieved);
      this.#services.keep(set);
      this.#set = set;
      this.#dispatch({ is: "recorded" });
    } catch (error) {
      this.#dispatch({ is: "record-failed", fault: toFault(error) });
    }
  }

  /** Before the action: if it cannot be written down it must not happen, unless it undoes something. */
  #journal(entry: Parameters<Journal["write"]>[0], op: machine.Op): void {
    try {
      this.#services.journal.write(entry);
    } catch (error) {
      if (op !== "thaw" && op !== "abort") throw error;
    }
  }

  /** @returns another event where the answer could not be written down: then the call counts as failed. */
  #journalAnswer(actor: string, op: machine.Op, event: machine.Event, fault: Fault | null): machine.Event | null {
    const token = event.is === "frozen" ? { token: event.token } : {};
    try {
      this.#journal({ entry: "answered", actor, op, ...token, ...(fault === null ? {} : { fault }) }, op);
      return null;
    } catch (error) {
      return { is: "failed", actor, fault: toFault(error) };
    }
  }

  #account(actor: string, op: machine.Op, from: number, to: number, fault: Fault | null): void {
    if (this.#whos.get(actor)?.role !== "writer") return;
    const account = this.#accountOf(actor);
    if (op === "freeze" && fault === null) account.frozenSince = from;
    if (op === "thaw" || (op === "abort" && account.thawedAt === null)) account.thawedAt = to;
    if (fault !== null) account.why ??= fault.message;
    if (account.frozenSince !== null && account.thawedAt !== null)
      this.#thawedAt = Math.max(this.#thawedAt, account.thawedAt);
  }

  #accountOf(actor: string): WriterAccount {
    const known = this.#accounts.get(actor);
    if (known !== undefined) return known;
    const fresh: WriterAccount = { frozenSince: null, thawedAt: null, why: null, facts: {}, sidecar: null };
    this.#accounts.set(actor, fresh);
    return fresh;
  }

  #limit(actor: string, op: machine.Op): number {
    const ownFreeze = this.#services.crew.plugins.get(actor)?.freezeMs ?? null;
    const frozenFor = this.#frozenAt === null ? null : this.#now() - this.#frozenAt;
    return callLimit(op, this.#services.limits, { cut: this.#plan.cut, frozenFor, ownFreeze });
  }

  /** The only place where a change of state is told. */
  #announce(from: machine.State, to: machine.State): void {
    if (from.at === to.at) return;
    const phase = phaseOf(to);
    if (phase !== null)
      this.#services.emit({ type: "phase", phase, limitMs: this.#services.limits[phases[phase].limit] });
  }

  #outcome(state: machine.State): Outcome {
    const residue = machine.residueOf(state).map(({ actor, fault }) => ({ actor, op: "abort", error: fault }));
    if (state.at === "created" && this.#set !== null) return { is: "created", set: this.#set, residue };
    if (state.at === "aborted") return { is: "aborted", cause: state.cause, residue };
    throw new Error(`no outcome of ${state.at}`);
  }

  #tx(): Transaction {
    return { id: this.#plan.id, cut: this.#plan.cut };
  }

  #writerTx(actor: string): WriterTransaction {
    const components = this.#plan.writers.find((w) => w.who.instance === actor)?.components ?? [];
    return { ...this.#tx(), components, sidecarDir: this.#services.sidecarDir(actor) };
  }

  #now(): number {
    return performance.now() - this.#started;
  }
}

const levels = { "front-end": 0, "back-end": 1, system: 2 } as const;

function actorsOf(plan: Plan): machine.Actor[] {
  return [
    ...plan.writers.map(({ who, policy, components }) => ({
      id: who.instance,
      role: "writer" as const,
      policy,
      level: Math.min(...components.map((c) => levels[c.level ?? "back-end"])) as machine.Actor["level"],
    })),
    ...plan.providers.map(({ who }) => ({
      id: who.instance,
      role: "provider" as const,
      policy: "required" as const,
      level: 0 as const,
    })),
  ];
}

const phaseNames: Partial<Record<machine.State["at"], PhaseName>> = {
  preparing: "prepare",
  freezing: "freeze",
  holding: "hold",
  committing: "commit",
  releasing: "release",
  thawing: "thaw",
  sealing: "seal",
  undoing: "abort",
};
const phaseOf = (state: machine.State): PhaseName | null => phaseNames[state.at] ?? null;

/** After these the worker is gone, or does not know where it stands. */
function isSpoiling(error: unknown): boolean {
  return (
    isHoldstillError(error) && ["E_DEADLINE", "E_PLUGIN_DIED", "E_CANCELLED", "E_PLUGIN_LOAD"].includes(error.code)
  );
}
