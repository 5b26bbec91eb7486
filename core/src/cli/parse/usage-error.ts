/** A command line that does not make sense. Reported as E_USAGE; a separate class, because `--help` need not load the errors. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly hint: string;
  /** A word that may be a misspelling of a known one. */
  readonly spelling: { word: string; known: readonly string[] } | null;

  constructor(problem: string, hint: string, spelling: UsageError["spelling"] = null) {
    super(problem);
    this.hint = hint;
    this.spelling = spelling;
  }
}
