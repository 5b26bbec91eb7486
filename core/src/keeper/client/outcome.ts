import { HoldstillError } from "../../base/errors/error.js";
import { targetName, type SectionPlan, type SectionReport } from "../section.js";
import type { KeeperMessage, ArmTarget } from "../wire.js";

/** Why not everything was held, as an error that names the culprit. */
export function holdError(
  { report, failure, missing, unanswered }: Extract<KeeperMessage, { say: "over" }>,
  stations: readonly ArmTarget[],
  { limitMs }: Pick<SectionPlan, "limitMs">,
): HoldstillError {
  const name = (index: number): string => {
    const station = stations[index];
    return station === undefined ? "?" : targetName(station.target);
  };
  switch (failure?.is) {
    case "busy":
      return new HoldstillError("E_HOLD_BUSY", { point: name(failure.station) });
    case "refused":
      return new HoldstillError("E_HOLD_FAILED", { point: name(failure.station), reason: failure.reason });
    case "op":
      return new HoldstillError("E_HOLD_FAILED", { point: failure.name, reason: failure.reason });
    case "fault":
      return new HoldstillError("E_KEEPER", { reason: failure.reason });
    case undefined:
      break;
  }
  if (missing.length > 0) return new HoldstillError("E_HOLD_LATE", { points: missing.map(name), limitMs });
  if (report.reason === "deadline" && unanswered.length > 0)
    return new HoldstillError("E_HOLD_FAILED", {
      point: unanswered.join(", "),
      reason: "the kernel did not answer in time",
    });
  return lapseError(report) ?? new HoldstillError("E_KEEPER", { reason: "it released before everything was held" });
}

/** A section in which not every point was held to the end: its snapshot is not of one instant. null: all were. */
export function lapseError({ targets: points, reason }: SectionReport): HoldstillError<"E_HOLD_LAPSED"> | null {
  const lost = points.filter(({ inForce }) => !inForce);
  const isDue = reason === "word" || reason === "done";
  if (isDue && lost.length === 0) return null;
  const why = isDue ? (lost[0]?.problem ?? "it was not held") : reasons[reason];
  const concerned = isDue ? lost : points;
  return new HoldstillError("E_HOLD_LAPSED", {
    targets: concerned.map(({ target: point }) => targetName(point)),
    reason: why,
  });
}

const reasons = {
  eof: "the keeper lost its connection and released",
  silence: "the keeper heard nothing for a second and released",
  deadline: "the limit of the hold was reached and the keeper released",
  failed: "the keeper failed and everything was released",
} as const;
