import type { LimitsMs } from "../base/config/settings.js";
import type { Cut } from "../base/schema/types.js";
import type { MeetingStep, TransactionOp } from "./state.js";

/** What a call's limit depends on. Times in ms. */
export interface Situation {
  cut: Cut;
  /** Since the first freeze was asked; null while nothing is frozen. */
  frozenFor: number | null;
  /** Since the hold was asked; null while nothing is held. */
  heldFor: number | null;
  /** The plugin's own limit for freeze, by manifest or config. */
  ownFreeze: number | null;
}

/** The freeze window, ms: a copy under applications that tolerate it extends the window by the copy's own limit. */
export const freezeWindow = (limits: LimitsMs, cut: Cut): number => limits.freeze + (cut === "fuzzy" ? limits.copy : 0);

/** What is left of the freeze window, ms. @param frozenFor Since the first freeze was asked; null: it was not. */
export const freezeLeft = (limits: LimitsMs, cut: Cut, frozenFor: number | null): number =>
  freezeWindow(limits, cut) - (frozenFor ?? 0);

/** What of the freeze window is kept back for thawing, ms: a quarter, 10 s at most. */
export const thawReserve = (limits: LimitsMs): number => Math.min(limits.freeze / 4, 10_000);

/** The limit of the hold, ms: as configured, and inside the freeze window. */
export function holdLimit(limits: LimitsMs, cut: Cut, frozenFor: number | null): number {
  const beforeThaw = freezeLeft(limits, cut, frozenFor) - thawReserve(limits);
  return Math.max(1, Math.min(limits.hold, frozenFor === null ? Infinity : beforeThaw));
}

/**
 * The limit of one call, ms. Inside the freeze window, and inside the hold, it is the remainder less what their end needs, so that it
 * is always a call that is late, and has a name, and never the window around it.
 */
export function callLimit(
  op: TransactionOp,
  limits: LimitsMs,
  { cut, frozenFor, heldFor, ownFreeze }: Situation,
): number {
  const left = freezeLeft(limits, cut, frozenFor);
  const beforeThaw = left - thawReserve(limits);
  switch (op) {
    case "prepare":
      return limits.prepare;
    case "freeze":
      return Math.max(1, Math.min(ownFreeze ?? Infinity, limits.freeze - thawReserve(limits), beforeThaw));
    case "commit":
      return Math.max(
        1,
        Math.min(
          cut === "fuzzy" ? limits.copy : limits.hold,
          frozenFor === null ? Infinity : beforeThaw,
          heldFor === null ? Infinity : 0.9 * limits.hold - heldFor,
        ),
      );
    case "thaw":
      return Math.max(1, Math.min(left, limits.freeze), thawReserve(limits));
    case "seal":
      return limits.seal;
    case "repair":
      return limits.repair;
    case "abort":
      return limits.abort;
  }
}

/**
 * How long a host waits for the others at a meeting, ms. Those that wait for the applications or for I/O end while there is time to
 * hold, to release, and to thaw: it is always a meeting that fails, and names the host that is late.
 */
export function meetingLimit(
  step: MeetingStep,
  limits: LimitsMs,
  { cut, frozenFor, heldFor }: Omit<Situation, "ownFreeze">,
): number {
  switch (step) {
    case "armed":
      return limits.prepare;
    case "frozen":
      return Math.max(1, freezeLeft(limits, cut, frozenFor) - thawReserve(limits) - limits.hold);
    case "taken":
      return Math.max(1, 0.9 * limits.hold - (heldFor ?? 0));
  }
}
