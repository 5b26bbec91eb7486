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
 * In a cluster, hosts meet: after arming, before holding, after committing while all still hold, and instead of recording they vote:
 *
 *   arming ─▶ meeting(armed) ─▶ freezing ─▶ meeting(frozen) ─▶ holding ─▶ committing ─▶ meeting(taken) ─▶ releasing ─▶ …
 *   … repairing ─▶ voting ─ commit ─▶ recording ─▶ created        voting ─ abort, or withdrawn ─▶ undoing
 *                     └──── no answer ─▶ unsettled ◀─ not recorded ─┘
 *
 * A host that has not voted may undo alone, at any time. One that has needs the verdict, or to have withdrawn before it.
 *
 * arming, holding, and releasing are the holder's, and skipped if there is nothing to hold. An actor that fails without ending the
 * transaction (best-effort, or a failed thaw or repair) is aborted alone, at once. What abort cannot undo is residue of the end state.
 * Every call settles exactly once: the runner guarantees that.
 */
import { isForHost } from "../base/schema/commit-ops.js";
import type { CriticalSection, Fault } from "../base/schema/types.js";
import { decided, meet, met } from "./company.js";
import {
  anyBusy,
  anyIdle,
  everyParticipant,
  faultOf,
  isAfter,
  participantOf,
  replaced,
  tokenOf,
  toRepair,
  toSeal,
  waits,
} from "./participant-state.js";
import { phases } from "./phases.js";
import {
  enter,
  isEnd,
  type Meeting,
  type Participant,
  type ParticipantState,
  sectionOf,
  type TransactionEvent,
  type TransactionOp,
  type TransactionState,
  type Transition,
} from "./state.js";

export { isEnd, initialState, residueOf } from "./state.js";
export type {
  Actor,
  Company,
  MeetingStep,
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

/** Notes the event: the new states of the participants, and whether the transaction is now being undone. */
function note(state: TransactionState, event: TransactionEvent): Transition {
  switch (event.type) {
    case "start":
      if (state.type !== "planned") throw new Error(`start while ${state.type}`);
      return { state: enter(state, { type: "preparing" }), effects: [] };
    case "prepared":
      return answered(state, event.actor, "prepare", { type: "ready", after: "prepare" }, event.section);
    case "frozen":
      return answered(state, event.actor, "freeze", { type: "frozen", token: event.token });
    case "committed":
      return answered(state, event.actor, "commit", { type: "ready", after: "commit" });
    case "thawed":
      return answered(state, event.actor, "thaw", { type: "ready", after: "thaw" });
    case "sealed":
      return answered(state, event.actor, "seal", { type: "ready", after: "seal" });
    case "repaired":
      return answered(state, event.actor, "repair", { type: "ready", after: "repair" });
    case "undone":
      return answered(state, event.actor, "abort", {
        type: "undone",
        fault: faultOf(participantOf(state, event.actor)),
      });
    case "failed":
      return failed(state, event.actor, event.fault);
    case "armed":
      return state.type === "arming" ? meet(state, { step: "armed" }) : { state, effects: [] };
    case "held":
      return {
        state: state.type === "holding" ? enter(state, { type: "committing", held: true }) : state,
        effects: [],
      };
    case "released":
      return event.fault === null ? released(state) : turn(released(state).state, event.fault);
    case "hold-failed":
    case "apart":
      return turn(state, event.fault);
    case "met":
      return met(state, event.step);
    case "decided":
    case "undecided":
      return decided(state, event);
    case "interrupted":
      return interrupted(state, event.fault);
    case "record-failed":
      return state.company === "cluster" && state.type === "recording"
        ? { state: enter(state, { type: "unsettled", cause: event.fault }), effects: [] }
        : turn(state, event.fault);
    case "recorded":
      return { state: state.type === "recording" ? enter(state, { type: "created" }) : state, effects: [] };
  }
}

/** Makes the calls that the state needs, and moves on once all that it waits for have returned. */
function proceed(from: Transition): Transition {
  const { state, effects } = from;
  if (state.type === "undoing") return undo({ state, effects });
  const out = state.participants.find((m) => m.state.type === "failed");
  if (out !== undefined) return proceed(ask(from, out.actor.id, "abort"));
  const on = (next: Parameters<typeof enter>[1]): Transition => proceed({ state: enter(state, next), effects });
  switch (state.type) {
    case "planned":
    case "arming":
    case "holding":
    case "releasing":
    case "meeting":
    case "voting":
    case "recording":
    case "created":
    case "aborted":
    case "unsettled":
      return { state, effects };
    case "preparing": {
      if (anyIdle(state)) return askAll({ state, effects }, everyParticipant, "prepare");
      if (waits(state, "prepare")) return { state, effects };
      const section = sectionOf(state.participants);
      if (section === null) return onward({ state, effects }, { step: "armed" });
      return { state: enter(state, { type: "arming" }), effects: [...effects, { type: "arm", section }] };
    }
    case "freezing": {
      const { level } = state;
      const due = state.participants.filter(
        (m) => m.actor.level === level && m.actor.role === "writer" && isAfter(m, "prepare"),
      );
      if (due.length > 0) return askAll({ state, effects }, (m) => due.includes(m), "freeze");
      if (waits(state, "freeze")) return { state, effects };
      if (level < 2) return on({ type: "freezing", level: level + 1 });
      // No plugin code runs while volumes are held: participants that were left out are undone first.
      if (sectionOf(state.participants) !== null && waits(state, "abort")) return { state, effects };
      return onward({ state, effects }, { step: "frozen" });
    }
    case "committing": {
      if (state.participants.some(toCommit)) return askAll({ state, effects }, toCommit, "commit");
      if (waits(state, "commit")) return { state, effects };
      return onward({ state, effects }, { step: "taken", held: state.held });
    }
    case "thawing": {
      const { level } = state;
      const due = (m: Participant): boolean => m.actor.level === level && m.state.type === "frozen";
      if (state.participants.some(due)) return askAll({ state, effects }, due, "thaw");
      if (waits(state, "thaw")) return { state, effects };
      return on(level > 0 ? { type: "thawing", level: level - 1 } : { type: "sealing" });
    }
    case "sealing": {
      if (state.participants.some(toSeal)) return askAll({ state, effects }, toSeal, "seal");
      return anyBusy(state) ? { state, effects } : on({ type: "repairing" });
    }
    case "repairing": {
      if (state.participants.some(toRepair)) return askAll({ state, effects }, toRepair, "repair");
      if (anyBusy(state)) return { state, effects };
      if (state.company === "cluster")
        return { state: enter(state, { type: "voting", cause: null }), effects: [...effects, { type: "vote" }] };
      return { state: enter(state, { type: "recording" }), effects: [...effects, { type: "record" }] };
    }
  }
}

function onward({ state, effects }: Transition, at: Meeting): Transition {
  const { state: next, effects: more } = meet(state, at);
  return proceed({ state: next, effects: [...effects, ...more] });
}

/** A vote is taken back by asking: until the answer, the set may be committed. Once it is, an interruption comes too late. */
function interrupted(state: TransactionState, cause: Fault): Transition {
  if (state.type === "voting")
    return state.cause === null
      ? { state: enter(state, { type: "voting", cause }), effects: [{ type: "withdraw", cause }] }
      : { state, effects: [] };
  return state.type === "recording" && state.company === "cluster" ? { state, effects: [] } : turn(state, cause);
}

/** Releases the holds, thaws the writers, and then deletes what was begun. A step that fails never stops the next one. */
function undo(from: {
  state: Extract<TransactionState, { type: "undoing" }>;
  effects: Transition["effects"];
}): Transition {
  const { state, effects } = from;
  const on = (stage: "thaw" | "abort"): Transition => undo({ state: { ...state, stage }, effects });
  switch (state.stage) {
    case "release":
      return from;
    case "thaw": {
      const frozen = state.participants.find((m) => m.state.type === "frozen");
      if (frozen !== undefined) return proceed(ask(from, frozen.actor.id, "thaw"));
      const unsure = state.participants.find((m) => m.state.type === "failed" && m.actor.role === "writer");
      if (unsure !== undefined) return proceed(ask(from, unsure.actor.id, "abort"));
      const slow = waits(state, "freeze") || waits(state, "thaw") || waits(state, "abort");
      return slow ? from : on("abort");
    }
    case "abort": {
      const due = state.participants.find((m) => m.state.type === "ready" || m.state.type === "failed");
      if (due !== undefined) return proceed(ask(from, due.actor.id, "abort"));
      if (anyBusy(state)) return from;
      return { state: enter(state, { type: "aborted", cause: state.cause }), effects };
    }
  }
}

/** From here on the transaction is undone: pending calls are cancelled, except those that undo. The first cause stays. */
function turn(state: TransactionState, cause: Fault): Transition {
  if (state.type === "undoing" || isEnd(state)) return { state, effects: [] };
  const holds =
    state.type === "holding" ||
    state.type === "releasing" ||
    (state.type === "committing" && state.held) ||
    (state.type === "meeting" && state.at.step === "taken" && state.at.held);
  const effects: Transition["effects"] = state.participants
    .filter((m) => m.state.type === "busy" && m.state.op !== "thaw" && m.state.op !== "abort")
    .map((m) => ({ type: "cancel", actor: m.actor.id }));
  if (holds && state.type !== "releasing") effects.unshift({ type: "release" });
  if (state.company === "cluster") effects.push({ type: "withdraw", cause });
  return { state: enter(state, { type: "undoing", stage: holds ? "release" : "thaw", cause }), effects };
}

function released(state: TransactionState): Transition {
  if (state.type === "releasing") return { state: enter(state, { type: "thawing", level: 2 }), effects: [] };
  if (state.type === "undoing" && state.stage === "release") return { state: { ...state, stage: "thaw" }, effects: [] };
  throw new Error(`released while ${state.type}`);
}

function failed(state: TransactionState, id: string, fault: Fault): Transition {
  const { actor, state: busy } = participantOf(state, id);
  if (busy.type !== "busy") throw new Error(`${id} failed while ${busy.type}`);
  if (busy.op === "abort") return answered(state, id, "abort", { type: "residue", fault });
  const { op, token } = busy;
  const { state: noted } = answered(state, id, op, { type: "failed", op, token, fault });
  const fatal = actor.policy === "required" && phases[op].onFailure === "abort";
  return fatal ? turn(noted, fault) : { state: noted, effects: [] };
}

function answered(
  state: TransactionState,
  id: string,
  op: TransactionOp,
  next: ParticipantState,
  section?: CriticalSection | null,
): Transition {
  const { state: before } = participantOf(state, id);
  if (before.type !== "busy" || before.op !== op) throw new Error(`${id} answered ${op} without having been asked`);
  return { state: { ...state, participants: replaced(state.participants, id, next, section) }, effects: [] };
}

function ask({ state, effects }: Transition, id: string, op: TransactionOp): Transition {
  const asked = participantOf(state, id);
  const token = tokenOf(asked);
  const busy: ParticipantState = { type: "busy", op, token, fault: faultOf(asked) };
  return {
    state: { ...state, participants: replaced(state.participants, id, busy) },
    effects: [...effects, { type: "call", actor: id, op, token }],
  };
}

function askAll(from: Transition, due: (participant: Participant) => boolean, op: TransactionOp): Transition {
  return proceed(from.state.participants.filter(due).reduce((so, m) => ask(so, m.actor.id, op), from));
}

const toCommit = (m: Participant): boolean =>
  isAfter(m, "prepare") && m.section !== null && isForHost(m.section.commit);
