import type { PastTransaction } from "../schema/types.js";

/** How well a past transaction went, and the backup of its set: the worst of the two counts. */
export type Verdict = "good" | "warn" | "bad";

const outcomes: Readonly<Record<PastTransaction["outcome"], Verdict>> = {
  created: "good",
  degraded: "warn",
  interrupted: "warn",
  aborted: "bad",
  broken: "bad",
  refused: "bad",
};

export function verdictOf({ outcome, consistency, backup }: PastTransaction): Verdict {
  if (backup?.succeeded === false) return "bad";
  // Files of different moments are no success, whatever was asked for.
  return outcome === "created" && consistency === "none" ? "warn" : outcomes[outcome];
}

/** The result of the backup in words: the backup failed, the command ended with 1. */
export function backupWords({ succeeded, command }: NonNullable<PastTransaction["backup"]>): string {
  const result = succeeded ? "the backup succeeded" : "the backup failed";
  if (command === undefined) return result;
  return command.signal === null
    ? `${result}, the command ended with ${command.exitCode}`
    : `${result}, the command was ended by ${command.signal}`;
}
