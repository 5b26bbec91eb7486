/** The exit codes of the command line, which docs/operate.md describes. */
export const exit = {
  done: 0,
  bug: 1,
  usage: 2,
  refused: 3,
  aborted: 4,
  degraded: 5,
  residue: 6,
  notExamined: 7,
  interrupted: 130,
} as const;
export type ExitCode = (typeof exit)[keyof typeof exit];
