import type { Who } from "../base/errors/details.js";
import { HoldstillError, toFault } from "../base/errors/error.js";
import { roundMs } from "../base/events/emit.js";
import type { Fault, FreezeToken, Residue, SnapshotSet } from "../base/schema/types.js";
import { monotonic } from "../os/clock.js";
import type { Plan } from "../plan/plan.js";
import { isCreating } from "./await-ready.js";
import { TransactionCalls } from "./calls.js";
import { CallRecorder } from "./call-recorder.js";
import { ClusterMeeting, untilReleased } from "./cluster-meeting.js";
import { callLimit, freezeLeft, holdLimit, meetingLimit } from "./deadline.js";
import * as machine from "./machine.js";
import { actorsOf } from "./participants.js";
import { phaseOf } from "./phase-of.js";
import { phases } from "./phases.js";
import { recordOf } from "./record.js";
import { Repairs } from "./repair.js";
import type { TransactionServices } from "./services.js";

export type TransactionOutcome =
  | { type: "created"; set: SnapshotSet; residue: Residue[] }
  | { type: "aborted"; cause: Fault; residue: Residue[] }
  /** A set of several hosts for which this one has voted. `recover` keeps or undoes it. */
  | { type: "unsettled"; cause: Fault; residue: Residue[] };

/** Runs the machine's effects against the plugins until the transaction ends. It always ends. */
export function runTransaction(plan: Plan, services: TransactionServices): Promise<TransactionOutcome> {
  return new Runner(plan, services).run();
}

class Runner {
  readonly #plan: Plan;
  readonly #services: TransactionServices;
  readonly #calls: TransactionCalls;
  readonly #recorder: CallRecorder;
  readonly #meeting: ClusterMeeting;
  readonly #started = monotonic();
  #state: machine.TransactionState;
  /** When the first freeze was asked, ms since the start. */
  #frozenAt: number | null = null;
  /** When the hold was asked, ms since the start; null: nothing is held. */
  #heldAt: number | null = null;
  /** Since the hold was asked: settles when it may begin. */
  #suspended: Promise<void> | null = null;
  /** The set's record is being written: from here on an interruption comes too late. */
  #isCommitting = false;
  #set: SnapshotSet | null = null;
  /** Actors whose next call was cancelled before it was made. */
  readonly #cancelled = new Set<string>();
  /** The event in progress, and those that came meanwhile: a listener that sees a phase or a call may interrupt at once. */
  readonly #events: machine.TransactionEvent[] = [];
  #end: (outcome: TransactionOutcome) => void = () => undefined;

  constructor(plan: Plan, services: TransactionServices) {
    this.#plan = plan;
    this.#services = services;
    const { workers, limits, exposures } = services;
    const whyOnlyForks = (volumeId: string, { instance }: Who): string | null => {
      const planned = plan.volumes.find(({ volume }) => volume.id === volumeId);
      return planned?.qualities.writable === true ? null : `the snapshots of ${instance} are read-only`;
    };
    const repairs = new Repairs({ workers, limits, set: plan.id, whyOnlyForks, exposures });
    this.#calls = new TransactionCalls(plan, repairs, services);
    this.#recorder = new CallRecorder(services);
    this.#meeting = new ClusterMeeting(services, {
      limitMs: (step) => this.#meetingLimit(step),
      record: () => this.#newRecord(),
      dispatch: (event) => this.#dispatch(event),
    });
    this.#state = machine.initialState(actorsOf(plan), services.rendezvous === null ? "alone" : "cluster");
  }

  async run(): Promise<TransactionOutcome> {
    const { signal } = this.#services;
    const interrupt = (): void => {
      if (!this.#isCommitting) this.#dispatch({ type: "interrupted", fault: toFault(signal.reason) });
    };
    const ended = new Promise<TransactionOutcome>((resolve) => {
      this.#end = resolve;
    });
    this.#dispatch({ type: "start" });
    if (signal.aborted) interrupt();
    signal.addEventListener("abort", interrupt, { once: true });
    try {
      return await ended;
    } finally {
      await this.#services.holder.disarm();
      signal.removeEventListener("abort", interrupt);
    }
  }

  #dispatch(event: machine.TransactionEvent): void {
    this.#events.push(event);
    if (this.#events.length > 1) return;
    for (let next: machine.TransactionEvent | undefined = event; next !== undefined; next = this.#events[0]) {
      this.#take(next);
      this.#events.shift();
    }
  }

  #take(event: machine.TransactionEvent): void {
    if (machine.isEnd(this.#state)) return;
    const { state, effects } = machine.advance(this.#state, event);
    this.#announce(this.#state, state);
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
    if (machine.isEnd(state)) this.#end(this.#outcome(state));
  }

  #perform(effect: machine.Effect): void {
    switch (effect.type) {
      case "call":
        void this.#call(effect.actor, effect.op, effect.token);
        return;
      case "cancel":
        this.#cancelled.add(effect.actor);
        void this.#calls.cancel(effect.actor);
        return;
      case "record":
        void this.#record();
        return;
      case "arm":
        void this.#arm(effect.section);
        return;
      case "hold":
        void this.#holdAll();
        return;
      case "release":
        void this.#release();
        return;
      case "meet":
      case "vote":
      case "withdraw":
        void this.#meeting.perform(effect);
    }
  }

  async #arm(section: machine.KeeperSection): Promise<void> {
    const { limits, holder } = this.#services;
    const { request, volumes } = this.#plan;
    const from = this.#now();
    const note = (fault: Fault | null): void =>
      this.#recorder.note({ op: "arm", actor: keeper, from, to: this.#now(), limitMs: limits.prepare }, fault);
    try {
      await holder.arm({
        targets: section.targets,
        ops: this.#services.rendezvous === null ? section.ops : untilReleased(section.ops),
        limitMs: limits.hold,
        includeRoot: request.includeRoot ?? false,
        volumes: volumes.map(({ volume }) => volume),
      });
      note(null);
      this.#dispatch({ type: "armed" });
    } catch (error) {
      const fault = toFault(error);
      note(fault);
      this.#dispatch({ type: "hold-failed", fault });
    }
  }

  async #holdAll(): Promise<void> {
    const { limits, holder, holdGate } = this.#services;
    try {
      this.#suspended = holdGate.suspend();
      await this.#suspended;
      if (this.#state.type !== "holding") return;
      this.#heldAt = this.#now();
      await holder.hold(holdLimit(limits, this.#plan.cut, this.#frozenFor()));
      this.#calls.answers.cutAt = new Date();
      this.#dispatch({ type: "held" });
    } catch (error) {
      this.#dispatch({ type: "hold-failed", fault: toFault(error) });
    }
  }

  async #release(): Promise<void> {
    const { limits, holder, holdGate } = this.#services;
    this.#meeting.releasing();
    const fault = await holder.release();
    const to = this.#now();
    const from = this.#heldAt ?? to;
    this.#heldAt = null;
    await this.#suspended;
    const unwritten = await holdGate.resume();
    this.#recorder.note({ op: "hold", actor: keeper, from, to, limitMs: limits.hold }, fault);
    this.#dispatch({ type: "released", fault: fault ?? unwritten });
  }

  /** One call to a plugin; it settles exactly once, with an event. */
  async #call(actor: string, op: machine.TransactionOp, token: FreezeToken | null): Promise<void> {
    this.#cancelled.delete(actor);
    const unwritten = await this.#recorder.asked(actor, op);
    const limitMs = this.#limit(actor, op);
    const from = this.#now();
    this.#services.emit({ type: "call", actor, op, status: "begun", limitMs });
    if (op === "freeze") this.#frozenAt ??= from;
    let event: machine.TransactionEvent;
    try {
      if (this.#cancelled.has(actor)) throw this.#cancellation(actor, op);
      event =
        unwritten === null
          ? await this.#calls.ask(actor, op, token, { limitMs, freezeLeftMs: this.#freezeLeft() })
          : { type: "failed", actor, fault: unwritten };
    } catch (error) {
      event = { type: "failed", actor, fault: toFault(error) };
    }
    const to = this.#now();
    event = await this.#recorder.answered(actor, op, event);
    const fault = event.type === "failed" ? event.fault : null;
    const sealedAt = op === "seal" ? this.#calls.sealedAt.get(actor) : undefined;
    if (sealedAt === undefined) this.#recorder.note({ op, actor, from, to, limitMs }, fault);
    else {
      // The call has ended, and the storage goes on: that is not a call of the plugin, and has another limit.
      const until = roundMs(sealedAt - this.#started);
      this.#recorder.note({ op, actor, from, to: until, limitMs }, null);
      this.#recorder.note({ op: "ready", actor, from: until, to, limitMs: this.#services.limits.ready }, fault);
    }
    this.#dispatch(event);
  }

  #cancellation(actor: string, op: machine.TransactionOp): Error {
    const who = this.#services.workers.plugins.get(actor)?.who;
    return who === undefined ? new Error(`there is no actor ${actor}`) : new HoldstillError("E_CANCELLED", { who, op });
  }

  async #record(): Promise<void> {
    const { holdGate, keep } = this.#services;
    await holdGate.pass();
    // The transaction may have been interrupted meanwhile.
    if (this.#state.type !== "recording") return;
    this.#isCommitting = true;
    try {
      const set = this.#meeting.decided ?? this.#newRecord();
      this.#set = await keep(set);
      this.#warnOfUnfinished(set);
      this.#dispatch({ type: "recorded" });
    } catch (error) {
      this.#dispatch({ type: "record-failed", fault: toFault(error) });
    }
  }

  #newRecord(): SnapshotSet {
    const { timeline, holder } = this.#services;
    return recordOf(this.#plan, this.#calls.answers, timeline, holder.record(this.#started));
  }

  #warnOfUnfinished({ snapshots }: SnapshotSet): void {
    for (const { by, snapshot } of snapshots.filter((one) => isCreating(one.snapshot))) {
      const message = `${by.instance} has not finished snapshot ${snapshot.id}: it cannot be exposed yet.`;
      this.#services.emit({ type: "warning", message });
    }
  }

  #limit(actor: string, op: machine.TransactionOp): number {
    const ownFreeze = this.#services.workers.plugins.get(actor)?.freezeMs ?? null;
    const heldFor = this.#heldAt === null ? null : this.#now() - this.#heldAt;
    const { cut } = this.#plan;
    const frozenFor = this.#frozenFor();
    return roundMs(callLimit(op, this.#services.limits, { cut, frozenFor, heldFor, ownFreeze }));
  }

  #meetingLimit(step: machine.MeetingStep): number {
    const heldFor = this.#heldAt === null ? null : this.#now() - this.#heldAt;
    return roundMs(
      meetingLimit(step, this.#services.limits, { cut: this.#plan.cut, frozenFor: this.#frozenFor(), heldFor }),
    );
  }

  #freezeLeft(): number {
    return roundMs(freezeLeft(this.#services.limits, this.#plan.cut, this.#frozenFor()));
  }

  #frozenFor(): number | null {
    return this.#frozenAt === null ? null : this.#now() - this.#frozenAt;
  }

  /** The only place that reports a change of state. */
  #announce(from: machine.TransactionState, to: machine.TransactionState): void {
    const phase = phaseOf(to);
    if (from.type === to.type || phase === undefined) return;
    this.#services.emit({ type: "phase", phase, limitMs: this.#services.limits[phases[phase].limit] });
  }

  #outcome(state: machine.TransactionState): TransactionOutcome {
    const residue = machine.residueOf(state).map(({ actor, fault }) => ({ actor, op: "abort", error: fault }));
    if (state.type === "created" && this.#set !== null) return { type: "created", set: this.#set, residue };
    if (state.type === "aborted" || state.type === "unsettled")
      return { type: state.type, cause: state.cause, residue };
    throw new Error(`no outcome of ${state.type}`);
  }

  #now(): number {
    return roundMs(monotonic() - this.#started);
  }
}

/** The actor of arm and hold, in events and records. */
const keeper = "keeper";
