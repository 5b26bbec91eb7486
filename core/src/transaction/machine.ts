/**
 * The transaction as a pure state machine: `step(state, event)` gives the next state and the effects to run. No clock, no I/O.
 *
 *   planned ─ start ─▶ preparing ─▶ arming ─▶ freezing ─▶ holding ─▶ committing ─▶ releasing ─▶ thawing ─▶ sealing ─▶ repairing
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
import { isForHost } from "../base/schema/commit-ops.js";
import type { CriticalSection, Fault, FreezeToken } from "../base/schema/types.js";
import { phases } from "./phases.js";
import {
  type Participants,
  type Effect,
  type TransactionEvent,
  isEnd,
  type Participant,
  type TransactionOp,
  sectionOf,
  type ParticipantState,
  type TransactionState,
  type Transition,
} from "./state.js";

export { isEnd, initialState, residueOf } from "./state.js";
export type {
  Actor,
  Participants,
  Effect,
  TransactionEvent,
  TransactionOp,
  KeeperSection,
  TransactionState,
  Transition,
} from "./state.js";

/** @throws Error on an event that cannot happen in this state: a bug of the runner. */
export function advance(state: TransactionState, event: TransactionEvent): Transition {
  return proceed(note(state, event));
}

/** Takes the event down: who stands where now, and whether the transaction turns round. */
function note(state: TransactionState, event: TransactionEvent): Transition {
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
    case "repaired":
      return answered(state, event.actor, "repair", { at: "ready", after: "repair" });
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
function proceed(from: Transition): Transition {
  const { state, effects } = from;
  if (state.at === "undoing") return undo({ state, effects });
  const out = state.cast.find((m) => m.state.at === "failed");
  if (out !== undefined) return proceed(ask(from, out.actor.id, "abort"));
  const on = (next: TransactionState): Transition => proceed({ state: next, effects });
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
      const due = (m: Participant): boolean =>
        isAfter(m, "prepare") && m.section !== null && isForHost(m.section.commit);
      if (state.cast.some(due)) return askAll({ state, effects }, due, "commit");
      if (waits(state, "commit")) return { state, effects };
      if (!state.held) return on({ at: "thawing", cast: state.cast, level: 2 });
      return { state: { at: "releasing", cast: state.cast }, effects: [...effects, { do: "release" }] };
    }
    case "thawing": {
      const { level } = state;
      const due = (m: Participant): boolean => m.actor.level === level && m.state.at === "frozen";
      if (state.cast.some(due)) return askAll({ state, effects }, due, "thaw");
      if (waits(state, "thaw")) return { state, effects };
      return on(
        level > 0 ? { at: "thawing", cast: state.cast, level: level - 1 } : { at: "sealing", cast: state.cast },
      );
    }
    case "sealing": {
      if (state.cast.some(toSeal)) return askAll({ state, effects }, toSeal, "seal");
      return anyBusy(state) ? { state, effects } : on({ at: "repairing", cast: state.cast });
    }
    case "repairing": {
      if (state.cast.some(toRepair)) return askAll({ state, effects }, toRepair, "repair");
      if (anyBusy(state)) return { state, effects };
      return { state: { at: "recording", cast: state.cast }, effects: [...effects, { do: "record" }] };
    }
  }
}

/** Release holds, then thaw writers, then, unhurried, delete what was begun. A step that fails never stops the next one. */
function undo(from: { state: Extract<TransactionState, { at: "undoing" }>; effects: Effect[] }): Transition {
  const { state, effects } = from;
  const on = (stage: "thaw" | "abort"): Transition => undo({ state: { ...state, stage }, effects });
  switch (state.stage) {
    case "release":
      return from;
    case "thaw": {
      const frozen = state.cast.find((m) => m.state.at === "frozen");
      if (frozen !== undefined) return proceed(ask(from, frozen.actor.id, "thaw"));
      const unsure = state.cast.find((m) => m.state.at === "failed" && m.actor.role === "writer");
      if (unsure !== undefined) return proceed(ask(from, unsure.actor.id, "abort"));
      const slow = waits(state, "freeze") || waits(state, "thaw") || waits(state, "abort");
      return slow ? from : on("abort");
    }
    case "abort": {
      const due = state.cast.find((m) => m.state.at === "ready" || m.state.at === "failed");
      if (due !== undefined) return proceed(ask(from, due.actor.id, "abort"));
      if (anyBusy(state)) return from;
      return { state: { at: "aborted", cast: state.cast, cause: state.cause }, effects };
    }
  }
}

/** The transaction turns round: pending calls are cancelled, except those that undo. The first cause stays. */
function turn(state: TransactionState, cause: Fault): Transition {
  if (state.at === "undoing" || isEnd(state)) return { state, effects: [] };
  const holds = state.at === "holding" || state.at === "releasing" || (state.at === "committing" && state.held);
  const effects: Effect[] = state.cast
    .filter((m) => m.state.at === "busy" && m.state.op !== "thaw" && m.state.op !== "abort")
    .map((m) => ({ do: "cancel", actor: m.actor.id }));
  if (holds && state.at !== "releasing") effects.unshift({ do: "release" });
  return { state: { at: "undoing", cast: state.cast, stage: holds ? "release" : "thaw", cause }, effects };
}

function released(state: TransactionState): Transition {
  if (state.at === "releasing") return { state: { at: "thawing", cast: state.cast, level: 2 }, effects: [] };
  if (state.at === "undoing" && state.stage === "release") return { state: { ...state, stage: "thaw" }, effects: [] };
  throw new Error(`released while ${state.at}`);
}

function failed(state: TransactionState, id: string, fault: Fault): Transition {
  const { actor, state: standing } = member(state, id);
  if (standing.at !== "busy") throw new Error(`${id} failed while ${standing.at}`);
  if (standing.op === "abort") return answered(state, id, "abort", { at: "residue", fault });
  const { op, token } = standing;
  const { state: noted } = answered(state, id, op, { at: "failed", op, token, fault });
  const fatal = actor.policy === "required" && phases[op].onFailure === "abort";
  return fatal ? turn(noted, fault) : { state: noted, effects: [] };
}

function answered(
  state: TransactionState,
  id: string,
  op: TransactionOp,
  standing: ParticipantState,
  section?: CriticalSection | null,
): Transition {
  const { state: before } = member(state, id);
  if (before.at !== "busy" || before.op !== op) throw new Error(`${id} answered ${op} without having been asked`);
  return { state: { ...state, cast: put(state.cast, id, standing, section) }, effects: [] };
}

function ask({ state, effects }: Transition, id: string, op: TransactionOp): Transition {
  const asked = member(state, id);
  const token = tokenOf(asked);
  const standing: ParticipantState = { at: "busy", op, token, fault: faultOf(asked) };
  return {
    state: { ...state, cast: put(state.cast, id, standing) },
    effects: [...effects, { do: "call", actor: id, op, token }],
  };
}

function askAll(from: Transition, due: (member: Participant) => boolean, op: TransactionOp): Transition {
  return proceed(from.state.cast.filter(due).reduce((so, m) => ask(so, m.actor.id, op), from));
}

function put(
  cast: Participants,
  id: string,
  standing: ParticipantState,
  section?: CriticalSection | null,
): Participants {
  return cast.map((m) =>
    m.actor.id === id ? { ...m, state: standing, section: section === undefined ? m.section : section } : m,
  );
}

function member(state: TransactionState, id: string): Participant {
  const found = state.cast.find((m) => m.actor.id === id);
  if (found === undefined) throw new Error(`nobody is called ${id}`);
  return found;
}

const everybody = (): boolean => true;
const anyBusy = (state: TransactionState): boolean => state.cast.some((m) => m.state.at === "busy");
const anyIdle = (state: TransactionState): boolean => state.cast.some((m) => m.state.at === "idle");
const waits = (state: TransactionState, op: TransactionOp): boolean =>
  state.cast.some((m) => m.state.at === "busy" && m.state.op === op);
const isAfter = (m: Participant, op: TransactionOp): boolean => m.state.at === "ready" && m.state.after === op;
const toSeal = (m: Participant): boolean => m.state.at === "ready" && m.state.after !== "seal";
const toRepair = (m: Participant): boolean => m.actor.repairs && isAfter(m, "seal");
const tokenOf = ({ state: standing }: Participant): FreezeToken | null => ("token" in standing ? standing.token : null);
const faultOf = ({ state: standing }: Participant): Fault | null => ("fault" in standing ? standing.fault : null);
