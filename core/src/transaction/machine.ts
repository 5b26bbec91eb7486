/**
 * The transaction as a pure state machine: `step(state, event)` gives the next state and the effects to run. No clock, no I/O.
 *
 *   planned ─ start ─▶ preparing ─▶ freezing ─▶ holding ─▶ committing ─▶ releasing ─▶ thawing ─▶ sealing ─▶ recording ─▶ created
 *                          │      level by level   (holding and releasing only  levels reversed               │
 *                          │           │            where there is something to hold)  │                      │
 *                          └───────────┴── a required actor failed, or an interruption ┴──────────────────────┘
 *                                                             │
 *                                          undoing: release ─▶ thaw ─▶ abort ─▶ aborted
 *
 * An actor that fails without ending the transaction (best-effort, or a thaw that did not work) is aborted on its own, at once.
 * Whatever abort cannot undo is residue of the end state. Every call settles exactly once: the runner sees to that.
 */
import type { CriticalSection, Fault, FreezeToken, HoldPoint } from "../schema/types.js";
import { phases } from "./phases.js";

export interface Actor {
  readonly id: string;
  readonly role: "writer" | "provider";
  readonly policy: "required" | "best-effort";
  /** Freezing order: 0 front-end, 1 back-end, 2 system; 0 for providers. */
  readonly level: 0 | 1 | 2;
}

export type Op = "prepare" | "freeze" | "commit" | "thaw" | "seal" | "abort";

/** Where one actor stands. `fault` says why it takes no further part. */
export type Standing =
  | { at: "idle" }
  | { at: "busy"; op: Op; token: FreezeToken | null; fault: Fault | null }
  | { at: "ready"; after: Exclude<Op, "freeze" | "abort"> }
  | { at: "frozen"; token: FreezeToken }
  | { at: "failed"; op: Op; token: FreezeToken | null; fault: Fault }
  | { at: "undone"; fault: Fault | null }
  | { at: "residue"; fault: Fault };

export interface Member {
  readonly actor: Actor;
  readonly standing: Standing;
  readonly section: CriticalSection | null;
}
export type Cast = readonly Member[];

export type State =
  | { at: "planned"; cast: Cast }
  | { at: "preparing"; cast: Cast }
  | { at: "freezing"; cast: Cast; level: number }
  | { at: "holding"; cast: Cast }
  | { at: "committing"; cast: Cast; held: boolean }
  | { at: "releasing"; cast: Cast }
  | { at: "thawing"; cast: Cast; level: number }
  | { at: "sealing"; cast: Cast }
  | { at: "recording"; cast: Cast }
  | { at: "undoing"; cast: Cast; stage: "release" | "thaw" | "abort"; cause: Fault }
  | { at: "created"; cast: Cast }
  | { at: "aborted"; cast: Cast; cause: Fault };

export type Event =
  | { is: "start" }
  | { is: "prepared"; actor: string; section: CriticalSection | null }
  | { is: "frozen"; actor: string; token: FreezeToken }
  | { is: "committed"; actor: string }
  | { is: "thawed"; actor: string }
  | { is: "sealed"; actor: string }
  | { is: "undone"; actor: string }
  | { is: "failed"; actor: string; fault: Fault }
  | { is: "held" }
  | { is: "released"; fault: Fault | null }
  | { is: "hold-failed"; fault: Fault }
  | { is: "recorded" }
  | { is: "record-failed"; fault: Fault }
  | { is: "interrupted"; fault: Fault };

export type Effect =
  | { do: "call"; actor: string; op: Op; token: FreezeToken | null }
  | { do: "cancel"; actor: string }
  | { do: "hold"; points: readonly HoldPoint[] }
  | { do: "release" }
  | { do: "record" };

export interface Step {
  state: State;
  effects: Effect[];
}

export const plan = (actors: readonly Actor[]): State => ({
  at: "planned",
  cast: actors.map((actor) => ({ actor, standing: { at: "idle" }, section: null })),
});

export const isEnd = (state: State): state is Extract<State, { at: "created" | "aborted" }> =>
  state.at === "created" || state.at === "aborted";

/** What abort could not undo. */
export const residueOf = (state: State): { actor: string; fault: Fault }[] =>
  state.cast.flatMap(({ actor, standing }) =>
    standing.at === "residue" ? [{ actor: actor.id, fault: standing.fault }] : [],
  );

/** @throws Error on an event that cannot happen in this state: a bug of the runner. */
export function step(state: State, event: Event): Step {
  return advance(note(state, event));
}

/** Takes the event down: who stands where now, and whether the transaction turns round. */
function note(state: State, event: Event): Step {
  switch (event.is) {
    case "start":
      if (state.at !== "planned") throw new Error(`start while ${state.at}`);
      return { state: { at: "preparing", cast: state.cast }, effects: [] };
    case "prepared":
      return answered(state, event.actor, "prepare", { at: "ready", after: "prepare" }, event.section);
    case "frozen":
      return answered(state, event.actor, "freeze", { at: "frozen", token: event.token });
    case "committed":
      return answered(state, event.actor, "commit", { at: "ready", after: "commit" });
    case "thawed":
      return answered(state, event.actor, "thaw", { at: "ready", after: "thaw" });
    case "sealed":
      return answered(state, event.actor, "seal", { at: "ready", after: "seal" });
    case "undone":
      return answered(state, event.actor, "abort", { at: "undone", fault: faultOf(member(state, event.actor)) });
    case "failed":
      return failed(state, event.actor, event.fault);
    case "held":
      return {
        state: state.at === "holding" ? { at: "committing", cast: state.cast, held: true } : state,
        effects: [],
      };
    case "released":
      return event.fault === null ? released(state) : turn(released(state).state, event.fault);
    case "hold-failed":
    case "record-failed":
    case "interrupted":
      return turn(state, event.fault);
    case "recorded":
      return { state: state.at === "recording" ? { at: "created", cast: state.cast } : state, effects: [] };
  }
}

/** Asks for what the state needs, and moves on once everybody that it waits for has answered. */
function advance(from: Step): Step {
  const { state, effects } = from;
  if (state.at === "undoing") return undo({ state, effects });
  const out = state.cast.find((m) => m.standing.at === "failed");
  if (out !== undefined) return advance(ask(from, out.actor.id, "abort"));
  const on = (next: State): Step => advance({ state: next, effects });
  switch (state.at) {
    case "planned":
    case "holding":
    case "releasing":
    case "recording":
    case "created":
    case "aborted":
      return { state, effects };
    case "preparing": {
      if (anyIdle(state)) return askAll({ state, effects }, everybody, "prepare");
      return waits(state, "prepare") ? { state, effects } : on({ at: "freezing", cast: state.cast, level: 0 });
    }
    case "freezing": {
      const { level } = state;
      const due = state.cast.filter(
        (m) => m.actor.level === level && m.actor.role === "writer" && isAfter(m, "prepare"),
      );
      if (due.length > 0) return askAll({ state, effects }, (m) => due.includes(m), "freeze");
      if (waits(state, "freeze")) return { state, effects };
      if (level < 2) return on({ at: "freezing", cast: state.cast, level: level + 1 });
      const points = state.cast.flatMap((m) => m.section?.hold ?? []);
      if (points.length === 0) return on({ at: "committing", cast: state.cast, held: false });
      // No plugin code runs while volumes are held: whoever was left out is first undone.
      if (waits(state, "abort")) return { state, effects };
      return { state: { at: "holding", cast: state.cast }, effects: [...effects, { do: "hold", points }] };
    }
    case "committing": {
      const due = (m: Member): boolean =>
        isAfter(m, "prepare") && (m.section?.commit.some((c) => c.op === "plugin") ?? false);
      if (state.cast.some(due)) return askAll({ state, effects }, due, "commit");
      if (waits(state, "commit")) return { state, effects };
      if (!state.held) return on({ at: "thawing", cast: state.cast, level: 2 });
      return { state: { at: "releasing", cast: state.cast }, effects: [...effects, { do: "release" }] };
    }
    case "thawing": {
      const { level } = state;
      const due = (m: Member): boolean => m.actor.level === level && m.standing.at === "frozen";
      if (state.cast.some(due)) return askAll({ state, effects }, due, "thaw");
      if (waits(state, "thaw")) return { state, effects };
      return on(
        level > 0 ? { at: "thawing", cast: state.cast, level: level - 1 } : { at: "sealing", cast: state.cast },
      );
    }
    case "sealing": {
      const due = (m: Member): boolean => m.standing.at === "ready" && m.standing.after !== "seal";
      if (state.cast.some(due)) return askAll({ state, effects }, due, "seal");
      if (state.cast.some((m) => m.standing.at === "busy")) return { state, effects };
      return { state: { at: "recording", cast: state.cast }, effects: [...effects, { do: "record" }] };
    }
  }
}

/** Release holds, then thaw writers, then, unhurried, delete what was begun. A step that fails never stops the next one. */
function undo(from: { state: Extract<State, { at: "undoing" }>; effects: Effect[] }): Step {
  const { state, effects } = from;
  const on = (stage: "thaw" | "abort"): Step => undo({ state: { ...state, stage }, effects });
  switch (state.stage) {
    case "release":
      return from;
    case "thaw": {
      const frozen = state.cast.find((m) => m.standing.at === "frozen");
      if (frozen !== undefined) return advance(ask(from, frozen.actor.id, "thaw"));
      const unsure = state.cast.find((m) => m.standing.at === "failed" && m.actor.role === "writer");
      if (unsure !== undefined) return advance(ask(from, unsure.actor.id, "abort"));
      const slow = waits(state, "freeze") || waits(state, "thaw") || waits(state, "abort");
      return slow ? from : on("abort");
    }
    case "abort": {
      const due = state.cast.find((m) => m.standing.at === "ready" || m.standing.at === "failed");
      if (due !== undefined) return advance(ask(from, due.actor.id, "abort"));
      if (state.cast.some((m) => m.standing.at === "busy")) return from;
      return { state: { at: "aborted", cast: state.cast, cause: state.cause }, effects };
    }
  }
}

/** The transaction turns round: pending calls are cancelled, except those that undo. The first cause stays. */
function turn(state: State, cause: Fault): Step {
  if (state.at === "undoing" || isEnd(state)) return { state, effects: [] };
  const holds = state.at === "holding" || state.at === "releasing" || (state.at === "committing" && state.held);
  const effects: Effect[] = state.cast
    .filter((m) => m.standing.at === "busy" && m.standing.op !== "thaw" && m.standing.op !== "abort")
    .map((m) => ({ do: "cancel", actor: m.actor.id }));
  if (holds && state.at !== "releasing") effects.unshift({ do: "release" });
  return { state: { at: "undoing", cast: state.cast, stage: holds ? "release" : "thaw", cause }, effects };
}

function released(state: State): Step {
  if (state.at === "releasing") return { state: { at: "thawing", cast: state.cast, level: 2 }, effects: [] };
  if (state.at === "undoing" && state.stage === "release") return { state: { ...state, stage: "thaw" }, effects: [] };
  throw new Error(`released while ${state.at}`);
}

function failed(state: State, id: string, fault: Fault): Step {
  const { actor, standing } = member(state, id);
  if (standing.at !== "busy") throw new Error(`${id} failed while ${standing.at}`);
  if (standing.op === "abort") return answered(state, id, "abort", { at: "residue", fault });
  const { op, token } = standing;
  const { state: noted } = answered(state, id, op, { at: "failed", op, token, fault });
  const fatal = actor.policy === "required" && phases[op].onFailure === "abort";
  return fatal ? turn(noted, fault) : { state: noted, effects: [] };
}

function answered(state: State, id: string, op: Op, standing: Standing, section?: CriticalSection | null): Step {
  const { standing: before } = member(state, id);
  if (before.at !== "busy" || before.op !== op) throw new Error(`${id} answered ${op} without having been asked`);
  return { state: { ...state, cast: put(state.cast, id, standing, section) }, effects: [] };
}

function ask({ state, effects }: Step, id: string, op: Op): Step {
  const asked = member(state, id);
  const token = tokenOf(asked);
  const standing: Standing = { at: "busy", op, token, fault: faultOf(asked) };
  return {
    state: { ...state, cast: put(state.cast, id, standing) },
    effects: [...effects, { do: "call", actor: id, op, token }],
  };
}

function askAll(from: Step, due: (member: Member) => boolean, op: Op): Step {
  return advance(from.state.cast.filter(due).reduce((so, m) => ask(so, m.actor.id, op), from));
}

function put(cast: Cast, id: string, standing: Standing, section?: CriticalSection | null): Cast {
  return cast.map((m) =>
    m.actor.id === id ? { ...m, standing, section: section === undefined ? m.section : section } : m,
  );
}

function member(state: State, id: string): Member {
  const found = state.cast.find((m) => m.actor.id === id);
  if (found === undefined) throw new Error(`nobody is called ${id}`);
  return found;
}

const everybody = (): boolean => true;
const anyIdle = (state: State): boolean => state.cast.some((m) => m.standing.at === "idle");
const waits = (state: State, op: Op): boolean =>
  state.cast.some((m) => m.standing.at === "busy" && m.standing.op === op);
const isAfter = (m: Member, op: Op): boolean => m.standing.at === "ready" && m.standing.after === op;
const tokenOf = ({ standing }: Member): FreezeToken | null => ("token" in standing ? standing.token : null);
const faultOf = ({ standing }: Member): Fault | null => ("fault" in standing ? standing.fault : null);
