/**
 * The transaction as a pure state machine: `step(state, event)` gives the next state and the effects to run. No clock, no I/O.
 *
 *   planned ─ start ─▶ preparing ─▶ arming ─▶ freezing ─▶ holding ─▶ committing ─▶ releasing ─▶ thawing ─▶ sealing ─▶ recovering
 *                          │           │    level by level   │            │            │     levels reversed  │           │
 *                          │           │           │         │            │            │           │          │       recording ─▶ created
 *                          └───────────┴───────────┴──── a required actor failed, or an interruption ─────────┘           │
 *                                                              │                                                          │
 *                                           undoing: release ─▶ thaw ─▶ abort ─▶ aborted ◀────────────────────────────────┘
 *
 * arming, holding and releasing are the keeper's, and passed over where there is nothing for it to do. An actor that fails without
 * ending the transaction (best-effort, or a thaw or a repair that did not work) is aborted on its own, at once. Whatever abort
 * cannot undo is residue of the end state. Every call settles exactly once: the runner sees to that.
 */
import { isForHost } from "../keeper/commit-ops.js";
import type { CriticalSection, Fault, FreezeToken } from "../base/schema/types.js";
import { phases } from "./phases.js";
import {
  type Cast,
  type Effect,
  type Event,
  isEnd,
  type Member,
  type Op,
  sectionOf,
  type Standing,
  type State,
  type Step,
} from "./state.js";

export { isEnd, plan, residueOf } from "./state.js";
export type { Actor, Cast, Effect, Event, Op, Section, State, Step } from "./state.js";

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
    case "recovered":
      return answered(state, event.actor, "recover", { at: "ready", after: "recover" });
    case "undone":
      return answered(state, event.actor, "abort", { at: "undone", fault: faultOf(member(state, event.actor)) });
    case "failed":
      return failed(state, event.actor, event.fault);
    case "armed":
      return { state: state.at === "arming" ? { at: "freezing", cast: state.cast, level: 0 } : state, effects: [] };
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
    case "arming":
    case "holding":
    case "releasing":
    case "recording":
    case "created":
    case "aborted":
      return { state, effects };
    case "preparing": {
      if (anyIdle(state)) return askAll({ state, effects }, everybody, "prepare");
      if (waits(state, "prepare")) return { state, effects };
      const section = sectionOf(state.cast);
      if (section === null) return on({ at: "freezing", cast: state.cast, level: 0 });
      return { state: { at: "arming", cast: state.cast }, effects: [...effects, { do: "arm", section }] };
    }
    case "freezing": {
      const { level } = state;
      const due = state.cast.filter(
        (m) => m.actor.level === level && m.actor.role === "writer" && isAfter(m, "prepare"),
      );
      if (due.length > 0) return askAll({ state, effects }, (m) => due.includes(m), "freeze");
      if (waits(state, "freeze")) return { state, effects };
      if (level < 2) return on({ at: "freezing", cast: state.cast, level: level + 1 });
      if (sectionOf(state.cast) === null) return on({ at: "committing", cast: state.cast, held: false });
      // No plugin code runs while volumes are held: whoever was left out is first undone.
      if (waits(state, "abort")) return { state, effects };
      return { state: { at: "holding", cast: state.cast }, effects: [...effects, { do: "hold" }] };
    }
    case "committing": {
      const due = (m: Member): boolean => isAfter(m, "prepare") && m.section !== null && isForHost(m.section.commit);
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
      if (state.cast.some(toSeal)) return askAll({ state, effects }, toSeal, "seal");
      return anyBusy(state) ? { state, effects } : on({ at: "recovering", cast: state.cast });
    }
    case "recovering": {
      if (state.cast.some(toRepair)) return askAll({ state, effects }, toRepair, "recover");
      if (anyBusy(state)) return { state, effects };
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
      if (anyBusy(state)) return from;
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
const anyBusy = (state: State): boolean => state.cast.some((m) => m.standing.at === "busy");
const anyIdle = (state: State): boolean => state.cast.some((m) => m.standing.at === "idle");
const waits = (state: State, op: Op): boolean =>
  state.cast.some((m) => m.standing.at === "busy" && m.standing.op === op);
const isAfter = (m: Member, op: Op): boolean => m.standing.at === "ready" && m.standing.after === op;
const toSeal = (m: Member): boolean => m.standing.at === "ready" && m.standing.after !== "seal";
const toRepair = (m: Member): boolean => m.actor.repairs && isAfter(m, "seal");
const tokenOf = ({ standing }: Member): FreezeToken | null => ("token" in standing ? standing.token : null);
const faultOf = ({ standing }: Member): Fault | null => ("fault" in standing ? standing.fault : null);
