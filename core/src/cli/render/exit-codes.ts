import type { ExitCode } from "../../base/errors/exit.js";

/** What each exit code means, in the order of `--help`: `short` there, `long` in the manual. docs/operate.md has the same codes. */
const meanings: Record<ExitCode, { readonly short: string; readonly long?: string }> = {
  0: { short: "done" },
  1: { short: "a bug in holdstill" },
  2: {
    short: "the command line or the config is wrong",
    long: "the command line or the config is wrong; nothing was started",
  },
  3: { short: "refused by the plan", long: "refused by the plan; nothing was touched" },
  4: { short: "aborted; nothing is left", long: "aborted: nothing is frozen, nothing is left" },
  5: {
    short: "below the asked consistency",
    long: "created, but below the consistency that was asked for; or a snapshot was lost while the COMMAND of run read it",
  },
  6: {
    short: "something is left: recover",
    long: "something is left that could not be undone: run holdstill recover",
  },
  7: {
    short: "verify: could not be examined",
    long: "verify: a snapshot could not be examined, and may be good",
  },
  130: { short: "interrupted", long: "interrupted, after a clean abort" },
};

/** In ascending order. */
export const exitCodes = Object.entries(meanings).map(([code, { short, long = short }]) => ({ code, short, long }));
