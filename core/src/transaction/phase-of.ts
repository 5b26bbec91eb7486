import type { PhaseName } from "./phases.js";
import type { TransactionState } from "./state.js";

/** What is reported of a state; undefined: it is over at once, or is not a phase. */
export const phaseOf = (state: TransactionState): PhaseName | undefined =>
  state.type === "meeting" ? state.at.step : byState[state.type];

const byState: { readonly [At in TransactionState["type"]]?: PhaseName } = {
  preparing: "prepare",
  arming: "arm",
  freezing: "freeze",
  holding: "hold",
  committing: "commit",
  releasing: "release",
  thawing: "thaw",
  sealing: "seal",
  repairing: "repair",
  voting: "sealed",
  undoing: "abort",
};
