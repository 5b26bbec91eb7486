import type { LimitsMs } from "../config/settings.js";
import { toFault } from "../errors/error.js";
import { type Emit, milliseconds } from "../events/emit.js";
import type { Plan } from "../plan/plan.js";
import type { Fault, FreezeToken, JournalEntry, Residue, SnapshotSet, Span } from "../schema/types.js";
import { Calls } from "./calls.js";
import type { Crew } from "../crew/crew.js";
import { callLimit } from "./deadline.js";
import type { Journal } from "./journal.js";
import * as machine from "./machine.js";
import { phases, type PhaseName } from "./phases.js";
import { recordOf } from "./record.js";

export interface Services {
  crew: Crew;
  journal: Journal;
  emit: Emit;
  limits: LimitsMs;
  /** Makes the set's record durable: the transaction's commit point. */
  keep: (set: SnapshotSet) => void;
  sidecarDir: (writer: string) => string;
  /** Aborted with the error that interrupts. */
  signal: AbortSignal;
  /** Every call is added here when it has ended. */
  timeline: Span[];
}

export type Outcome =
  | { is: "created"; set: SnapshotSet; residue: Residue[] }
  | { is: "aborted"; cause: Fault; residue: Residue[] };

/** Runs the machine's effects against the plugins until it comes to an end; whatever happens, it does come to an end. */
export function runTransaction(plan: Plan, services: Services): Promise<Outcome> {
  return new Runner(plan, services).run();
}

class Runner {
  readonly #plan: Plan;
  readonly #services: Services;
  readonly #calls: Calls;
  readonly #started = performance.now();
  #state: machine.State;
  /** When the first freeze was asked, ms since the start. */
  #frozenAt: number | null = null;
  #set: SnapshotSet | null = null;
  /** The event that is worked on, and those that came meanwhile: whoever is told of a phase or a call may interrupt at once. */
  readonly #events: machine.Event[] = [];
  #end: (outcome: Outcome) => void = () => undefined;

  constructor(plan: Plan, services: Services) {
    this.#plan = plan;
    this.#services = services;
    this.#calls = new Calls(plan, services.crew, services.sidecarDir);
    this.#state = machine.plan(actorsOf(plan));
  }

  async run(): Promise<Outcome> {
    const { signal } = this.#services;
    const interrupt = (): void => this.#dispatch({ is: "interrupted", fault: toFault(signal.reason) });
    const ended = new Promise<Outcome>((resolve) => {
      this.#end = resolve;
    });
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
    this.#events.push(event);
    if (this.#events.length > 1) return;
    for (let next: machine.Event | undefined = event; next !== undefined; next = this.#events[0]) {
      this.#take(next);
      this.#events.shift();
    }
  }

  #take(event: machine.Event): void {
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
        void this.#calls.cancel(effect.actor);
        return;
      case "record":
        // Later: the step must be taken first. By then it may have been interrupted.
        queueMicrotask(() => {
          if (this.#state.at === "recording") this.#dispatch(this.#record());
        });
        return;
      case "hold":
      case "release":
        // A provider that wants the kernel to hold is refused in prepare (E_HOLD_UNSUPPORTED): there is no keeper yet.
        throw new Error(`nobody can ${effect.do}`);
    }
  }

  /** One call to a plugin; it settles exactly once, with an event. */
  async #call(actor: string, op: machine.Op, token: FreezeToken | null): Promise<void> {
    const limitMs = this.#limit(actor, op);
    const from = this.#now();
    this.#services.emit({ type: "call", actor, op, status: "begun", limitMs });
    if (op === "freeze") this.#frozenAt ??= from;
    let event: machine.Event;
    try {
      this.#journal({ entry: "asked", actor, op }, op);
      event = await this.#calls.ask(actor, op, token, limitMs);
    } catch (error) {
      event = { is: "failed", actor, fault: toFault(error) };
    }
    event = this.#journalAnswer(actor, op, event);
    this.#tell({ op, actor, from, to: this.#now(), limitMs, ...outcomeOf(event) }, event);
    this.#dispatch(event);
  }

  /** Before the action: if it cannot be written down it must not happen, unless it undoes something. */
  #journal(entry: JournalEntry, op: machine.Op): void {
    try {
      this.#services.journal.write(entry);
    } catch (error) {
      if (op !== "thaw" && op !== "abort") throw error;
    }
  }

  /** An answer that cannot be written down counts as a failure. */
  #journalAnswer(actor: string, op: machine.Op, event: machine.Event): machine.Event {
    const token = event.is === "frozen" ? { token: event.token } : {};
    const fault = event.is === "failed" ? { fault: event.fault } : {};
    try {
      this.#journal({ entry: "answered", actor, op, ...token, ...fault }, op);
      return event;
    } catch (error) {
      return { is: "failed", actor, fault: toFault(error) };
    }
  }

  #tell(span: Span, event: machine.Event): void {
    const { actor, op, outcome, from, to } = span;
    this.#services.timeline.push(span);
    const error = event.is === "failed" ? { error: event.fault } : {};
    this.#services.emit({ type: "call", actor, op, status: outcome, elapsedMs: milliseconds(to - from), ...error });
  }

  #record(): machine.Event {
    try {
      const set = recordOf(this.#plan, this.#calls.answers, this.#services.timeline);
      this.#services.keep(set);
      this.#set = set;
      return { is: "recorded" };
    } catch (error) {
      return { is: "record-failed", fault: toFault(error) };
    }
  }

  #limit(actor: string, op: machine.Op): number {
    const ownFreeze = this.#services.crew.plugins.get(actor)?.freezeMs ?? null;
    const frozenFor = this.#frozenAt === null ? null : this.#now() - this.#frozenAt;
    const limit = callLimit(op, this.#services.limits, { cut: this.#plan.cut, frozenFor, ownFreeze });
    return milliseconds(limit);
  }

  /** The only place where a change of state is told. */
  #announce(from: machine.State, to: machine.State): void {
    const phase = phaseOf[to.at];
    if (from.at === to.at || phase === undefined) return;
    this.#services.emit({ type: "phase", phase, limitMs: this.#services.limits[phases[phase].limit] });
  }

  #outcome(state: machine.State): Outcome {
    const residue = machine.residueOf(state).map(({ actor, fault }) => ({ actor, op: "abort", error: fault }));
    if (state.at === "created" && this.#set !== null) return { is: "created", set: this.#set, residue };
    if (state.at === "aborted") return { is: "aborted", cause: state.cause, residue };
    throw new Error(`no outcome of ${state.at}`);
  }

  #now(): number {
    return milliseconds(performance.now() - this.#started);
  }
}

const levels = { "front-end": 0, "back-end": 1, system: 2 } as const;

function actorsOf({ writers, providers }: Plan): machine.Actor[] {
  return [
    ...writers.map(({ who, policy, components }): machine.Actor => {
      const own = components.map((component) => levels[component.level ?? "back-end"]);
      return { id: who.instance, role: "writer", policy, level: lowestLevel(own) };
    }),
    ...providers.map(({ who }): machine.Actor => ({
      id: who.instance,
      role: "provider",
      policy: "required",
      level: 0,
    })),
  ];
}

/** A writer is frozen with the foremost of its components. */
const lowestLevel = (all: readonly machine.Actor["level"][]): machine.Actor["level"] =>
  all.reduce((low, one) => (one < low ? one : low), levels.system);

const phaseOf: { readonly [At in machine.State["at"]]?: PhaseName } = {
  preparing: "prepare",
  freezing: "freeze",
  holding: "hold",
  committing: "commit",
  releasing: "release",
  thawing: "thaw",
  sealing: "seal",
  undoing: "abort",
};

function outcomeOf(event: machine.Event): Pick<Span, "outcome" | "why"> {
  return event.is === "failed" ? { outcome: "failed", why: event.fault.message } : { outcome: "ok" };
}
