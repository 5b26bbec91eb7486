import type { LimitsMs } from "../base/config/settings.js";
import { HoldstillError, toFault } from "../base/errors/error.js";
import { type Emit, roundMs } from "../base/events/emit.js";
import type { Plan } from "../plan/plan.js";
import type { Fault, FreezeToken, Residue, SnapshotSet, Span } from "../base/schema/types.js";
import type { ProtectedPath } from "../keeper/policy/system-tables.js";
import { monotonic } from "../os/clock.js";
import { actorsOf } from "./participants.js";
import { TransactionCalls } from "./calls.js";
import { CallRecorder } from "./call-recorder.js";
import type { PluginWorkers } from "../host/plugin-workers.js";
import { callLimit, holdLimit } from "./deadline.js";
import { KeeperHold } from "../keeper/client/keeper-hold.js";
import type { Journal } from "../store/journal.js";
import * as machine from "./machine.js";
import { phases, type PhaseName } from "./phases.js";
import { recordOf } from "./record.js";
import { Repairs } from "./repair.js";

export interface Services {
  workers: PluginWorkers;
  journal: Journal;
  emit: Emit;
  writeGate: HoldGate;
  limits: LimitsMs;
  /** Makes the set's record durable: the transaction's commit point. */
  keep: (set: SnapshotSet) => void;
  sidecarDir: (writer: string) => string;
  /** Where the set's snapshots are exposed. */
  exposeDir: string;
  /** What must stay usable while volumes are held. */
  guarded: readonly ProtectedPath[];
  /** Aborted with the error that interrupts. */
  signal: AbortSignal;
  /** Every call is added here when it has ended. */
  timeline: Span[];
}

/** What must be still while the kernel holds I/O: nothing of ours may wait for a volume that waits for us. */
export interface HoldGate {
  /** Resolves when nothing is on its way to disk any more, or after 1 s. */
  suspend(): Promise<void>;
  /** Tells and writes what was kept. */
  resume(): void;
  /** When one may write to disk, because no other transaction of this process holds volumes; null: now. */
  pass(): Promise<void> | null;
}

export type TransactionOutcome =
  | { is: "created"; set: SnapshotSet; residue: Residue[] }
  | { is: "aborted"; cause: Fault; residue: Residue[] };

/** Runs the machine's effects against the plugins until it comes to an end; whatever happens, it does come to an end. */
export function runTransaction(plan: Plan, services: Services): Promise<TransactionOutcome> {
  return new Runner(plan, services).run();
}

class Runner {
  readonly #plan: Plan;
  readonly #services: Services;
  readonly #calls: TransactionCalls;
  readonly #hold: KeeperHold;
  readonly #chronicle: CallRecorder;
  readonly #started = monotonic();
  #state: machine.TransactionState;
  /** When the first freeze was asked, ms since the start. */
  #frozenAt: number | null = null;
  /** When the hold was asked, ms since the start; null: nothing is held. */
  #heldAt: number | null = null;
  /** Since the hold was asked: settles when it may begin. */
  #writeGate: Promise<void> | null = null;
  #set: SnapshotSet | null = null;
  /** Whose call is still to be made, and is not to be made any more. */
  readonly #cancelled = new Set<string>();
  /** The event that is worked on, and those that came meanwhile: whoever is told of a phase or a call may interrupt at once. */
  readonly #events: machine.TransactionEvent[] = [];
  #end: (outcome: TransactionOutcome) => void = () => undefined;

  constructor(plan: Plan, services: Services) {
    this.#plan = plan;
    this.#services = services;
    const { workers, limits, exposeDir } = services;
    const repairs = new Repairs({ workers, limits, volumes: plan.volumes, exposeDir });
    this.#calls = new TransactionCalls(plan, workers, repairs, services);
    this.#hold = new KeeperHold(this.#started, { protectedPaths: services.guarded, name: plan.id });
    this.#chronicle = new CallRecorder(services);
    this.#state = machine.initialState(actorsOf(plan));
  }

  async run(): Promise<TransactionOutcome> {
    const { signal } = this.#services;
    const interrupt = (): void => this.#dispatch({ is: "interrupted", fault: toFault(signal.reason) });
    const ended = new Promise<TransactionOutcome>((resolve) => {
      this.#end = resolve;
    });
    this.#dispatch({ is: "start" });
    if (signal.aborted) interrupt();
    signal.addEventListener("abort", interrupt, { once: true });
    try {
      return await ended;
    } finally {
      await this.#hold.disarm();
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
    switch (effect.do) {
      case "call":
        void this.#call(effect.actor, effect.op, effect.token);
        return;
      case "cancel":
        this.#cancelled.add(effect.actor);
        void this.#calls.cancel(effect.actor);
        return;
      case "record":
        // Later: the step must be taken first. By then it may have been interrupted.
        void this.#calm().then(() => {
          if (this.#state.at === "recording") this.#dispatch(this.#record());
        });
        return;
      case "arm":
        void this.#arm(effect.section);
        return;
      case "hold":
        void this.#holdAll();
        return;
      case "release":
        void this.#release();
    }
  }

  async #arm(section: machine.KeeperSection): Promise<void> {
    const { limits } = this.#services;
    const { request, volumes } = this.#plan;
    const from = this.#now();
    const note = (fault: Fault | null): void =>
      this.#chronicle.note({ op: "arm", actor: keeper, from, to: this.#now(), limitMs: limits.prepare }, fault);
    try {
      await this.#hold.arm({
        ...section,
        limitMs: limits.hold,
        includeRoot: request.includeRoot ?? false,
        volumes: volumes.map(({ volume }) => volume),
      });
      note(null);
      this.#dispatch({ is: "armed" });
    } catch (error) {
      const fault = toFault(error);
      note(fault);
      this.#dispatch({ is: "hold-failed", fault });
    }
  }

  async #holdAll(): Promise<void> {
    const { limits, writeGate } = this.#services;
    try {
      this.#writeGate = writeGate.suspend();
      await this.#writeGate;
      if (this.#state.at !== "holding") return;
      this.#heldAt = this.#now();
      this.#chronicle.suspend();
      await this.#hold.hold(holdLimit(limits, this.#plan.cut, this.#frozenFor()));
      this.#calls.answers.cutAt = new Date();
      this.#dispatch({ is: "held" });
    } catch (error) {
      this.#dispatch({ is: "hold-failed", fault: toFault(error) });
    }
  }

  async #release(): Promise<void> {
    const { limits, writeGate } = this.#services;
    const fault = await this.#hold.release();
    const to = this.#now();
    const from = this.#heldAt ?? to;
    this.#heldAt = null;
    await this.#writeGate;
    writeGate.resume();
    await this.#calm();
    this.#chronicle.note({ op: "hold", actor: keeper, from, to, limitMs: limits.hold }, fault);
    const unwritten = this.#chronicle.resume();
    this.#dispatch({ is: "released", fault: fault ?? unwritten });
  }

  /** One call to a plugin; it settles exactly once, with an event. */
  async #call(actor: string, op: machine.TransactionOp, token: FreezeToken | null): Promise<void> {
    this.#cancelled.delete(actor);
    await this.#mayWrite();
    const limitMs = this.#limit(actor, op);
    const from = this.#now();
    this.#services.emit({ type: "call", actor, op, status: "begun", limitMs });
    if (op === "freeze") this.#frozenAt ??= from;
    let event: machine.TransactionEvent;
    try {
      if (this.#cancelled.has(actor)) throw this.#cancellation(actor, op);
      this.#chronicle.asked(actor, op);
      event = await this.#calls.ask(actor, op, token, limitMs);
    } catch (error) {
      event = { is: "failed", actor, fault: toFault(error) };
    }
    const to = this.#now();
    await this.#mayWrite();
    event = this.#chronicle.answered(actor, op, event);
    const fault = event.is === "failed" ? event.fault : null;
    this.#chronicle.note({ op, actor, from, to, limitMs }, fault);
    this.#dispatch(event);
  }

  /** What is written while this transaction itself holds volumes is kept; while others do, it waits. */
  async #mayWrite(): Promise<void> {
    const calm = this.#heldAt === null ? this.#services.writeGate.pass() : null;
    if (calm !== null) await calm;
  }

  async #calm(): Promise<void> {
    await this.#services.writeGate.pass();
  }

  #cancellation(actor: string, op: machine.TransactionOp): Error {
    const who = this.#services.workers.plugins.get(actor)?.who;
    return who === undefined ? new Error(`nobody is called ${actor}`) : new HoldstillError("E_CANCELLED", { who, op });
  }

  #record(): machine.TransactionEvent {
    try {
      const set = recordOf(this.#plan, this.#calls.answers, this.#services.timeline, this.#hold.record);
      this.#services.keep(set);
      this.#set = set;
      return { is: "recorded" };
    } catch (error) {
      return { is: "record-failed", fault: toFault(error) };
    }
  }

  #limit(actor: string, op: machine.TransactionOp): number {
    const ownFreeze = this.#services.workers.plugins.get(actor)?.freezeMs ?? null;
    const heldFor = this.#heldAt === null ? null : this.#now() - this.#heldAt;
    const { cut } = this.#plan;
    const frozenFor = this.#frozenFor();
    return roundMs(callLimit(op, this.#services.limits, { cut, frozenFor, heldFor, ownFreeze }));
  }

  #frozenFor(): number | null {
    return this.#frozenAt === null ? null : this.#now() - this.#frozenAt;
  }

  /** The only place where a change of state is told. */
  #announce(from: machine.TransactionState, to: machine.TransactionState): void {
    const phase = phaseOf[to.at];
    if (from.at === to.at || phase === undefined) return;
    this.#services.emit({ type: "phase", phase, limitMs: this.#services.limits[phases[phase].limit] });
  }

  #outcome(state: machine.TransactionState): TransactionOutcome {
    const residue = machine.residueOf(state).map(({ actor, fault }) => ({ actor, op: "abort", error: fault }));
    if (state.at === "created" && this.#set !== null) return { is: "created", set: this.#set, residue };
    if (state.at === "aborted") return { is: "aborted", cause: state.cause, residue };
    throw new Error(`no outcome of ${state.at}`);
  }

  #now(): number {
    return roundMs(monotonic() - this.#started);
  }
}

/** Who holds, in events and records. */
const keeper = "keeper";
const phaseOf: { readonly [At in machine.TransactionState["at"]]?: PhaseName } = {
  preparing: "prepare",
  arming: "arm",
  freezing: "freeze",
  holding: "hold",
  committing: "commit",
  releasing: "release",
  thawing: "thaw",
  sealing: "seal",
  repairing: "repair",
  undoing: "abort",
};
