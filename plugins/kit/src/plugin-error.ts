/**
 * An error that a person can fix. The host shows the message and, as the next step, the hint; the code and the details go to the
 * record. A plugin gives `Code` the codes of its README, so that the compiler knows them.
 */
export class PluginError<Code extends string = string> extends Error {
  override readonly name = "PluginError";
  readonly code: Code;
  readonly hint: string;
  /** What was seen, for programs; plain JSON. */
  readonly details?: Readonly<Record<string, unknown>>;

  constructor(code: Code, message: string, hint: string, more: ErrorOptions & Pick<PluginError, "details"> = {}) {
    super(message, more);
    this.code = code;
    this.hint = hint;
    if (more.details !== undefined) this.details = more.details;
  }
}

/** The code of an error, of Node's own as well; undefined if it has none. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
