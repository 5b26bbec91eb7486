/** The part of the machine for sets of several hosts: what a host does at each meeting, and with the verdict. Pure. */
import {
  enter,
  type Meeting,
  type MeetingStep,
  sectionOf,
  type TransactionEvent,
  type TransactionState,
  type Transition,
} from "./state.js";

/** Alone, a host has met all others at once. */
export function meet(state: TransactionState, at: Meeting): Transition {
  if (state.company === "alone") return past(state, at);
  return { state: enter(state, { type: "meeting", at }), effects: [{ type: "meet", step: at.step }] };
}

/** What comes after a meeting. */
function past(state: TransactionState, at: Meeting): Transition {
  switch (at.step) {
    case "armed":
      return { state: enter(state, { type: "freezing", level: 0 }), effects: [] };
    case "frozen":
      return sectionOf(state.participants) === null
        ? { state: enter(state, { type: "committing", held: false }), effects: [] }
        : { state: enter(state, { type: "holding" }), effects: [{ type: "hold" }] };
    case "taken":
      return at.held
        ? { state: enter(state, { type: "releasing" }), effects: [{ type: "release" }] }
        : { state: enter(state, { type: "thawing", level: 2 }), effects: [] };
  }
}

export const met = (state: TransactionState, step: MeetingStep): Transition =>
  state.type === "meeting" && state.at.step === step ? past(state, state.at) : { state, effects: [] };

/** The first answer counts, whether it is that of the vote or that of the withdrawal. */
export function decided(
  state: TransactionState,
  event: Extract<TransactionEvent, { type: "decided" | "undecided" }>,
): Transition {
  if (state.type !== "voting") return { state, effects: [] };
  if (event.type === "undecided")
    return { state: enter(state, { type: "unsettled", cause: event.fault }), effects: [] };
  if (event.verdict === "commit") return { state: enter(state, { type: "recording" }), effects: [{ type: "record" }] };
  return { state: enter(state, { type: "undoing", stage: "thaw", cause: state.cause ?? event.fault }), effects: [] };
}
