import { HoldstillError } from "../../base/errors/error.js";
import { targetName, type SectionPlan, type SectionReport } from "../section.js";
import type { ArmTarget, SectionEnd } from "../wire.js";

/** Why not everything was held, as an error that names the target or the operation at fault. */
export function holdError(
  { report, failure, missing, unanswered }: SectionEnd,
  targets: readonly ArmTarget[],
  { limitMs }: Pick<SectionPlan, "limitMs">,
): HoldstillError {
  const name = (index: number): string => {
    const target = targets[index];
    return target === undefined ? "?" : targetName(target.target);
  };
  switch (failure?.type) {
    case "busy":
      return new HoldstillError("E_HOLD_BUSY", { target: name(failure.index) });
    case "refused":
      return new HoldstillError("E_HOLD_FAILED", { where: name(failure.index), reason: failure.reason });
    case "op":
      return new HoldstillError("E_HOLD_FAILED", { where: failure.name, reason: failure.reason });
    case "fault":
      return new HoldstillError("E_KEEPER", { reason: failure.reason });
    case undefined:
      break;
  }
  if (missing.length > 0) return new HoldstillError("E_HOLD_LATE", { targets: missing.map(name), limitMs });
  if (report.reason === "deadline" && unanswered.length > 0)
    return new HoldstillError("E_HOLD_FAILED", {
      where: unanswered.join(", "),
      reason: "the kernel did not answer in time",
    });
  return lapseError(report) ?? new HoldstillError("E_KEEPER", { reason: "it released before everything was held" });
}

/** A section in which not every target was held to the end: its snapshots do not share one instant. null: all were. */
export function lapseError({ targets, reason }: SectionReport): HoldstillError<"E_HOLD_LAPSED"> | null {
  const lost = targets.filter(({ inForce }) => !inForce);
  const isDue = reason === "requested" || reason === "done";
  if (isDue && lost.length === 0) return null;
  const concerned = isDue ? lost : targets;
  return new HoldstillError("E_HOLD_LAPSED", {
    targets: concerned.map(({ target }) => targetName(target)),
    reason: isDue ? (lost[0]?.problem ?? "it was not held") : reasons[reason],
  });
}

const reasons = {
  eof: "the keeper lost its connection to the core and released",
  silence: "the keeper received nothing from the core for a second and released",
  deadline: "the limit of the hold was reached and the keeper released",
  failed: "the keeper failed and everything was released",
} as const;
