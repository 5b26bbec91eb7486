import { fileChanges } from "../../base/display/file-changes.js";
import type { Candidate, Details } from "../../base/errors/details.js";
import type { HoldstillError } from "../../base/errors/error.js";

/** A version that is selected, but differs from its pin, is not loaded. */
export function refuseChanged(candidates: readonly Candidate[], problems: readonly HoldstillError[]): Candidate[] {
  const changed = problems.flatMap(({ code, details }) =>
    code === "E_PLUGIN_LOCKED" ? [details as Details["E_PLUGIN_LOCKED"]] : [],
  );
  return candidates.map((candidate) => {
    const { name, version, verdict } = candidate;
    const difference = changed.find((one) => one.name === name && one.version === version && one.expected !== null);
    if (verdict !== "taken" || difference === undefined) return candidate;
    const reason = `its content differs from the lock file: ${fileChanges(difference.changes)}`;
    return { ...candidate, verdict: "refused", reason };
  });
}
