/** A command line that makes no sense. Becomes E_USAGE where it is reported: `--help` need not load the errors. */
export class UsageError extends Error {
  override readonly name = "Misuse";
  readonly hint: string;
  /** What may be a misspelling of something known. */
  readonly spelling: { word: string; known: readonly string[] } | null;

  constructor(problem: string, hint: string, spelling: UsageError["spelling"] = null) {
    super(problem);
    this.hint = hint;
    this.spelling = spelling;
  }
}
