/** What can be wrong with hooks; the README has a table. */
export type FaultCode = "HOOK_CONFIG" | "HOOK_FAILED" | "HOOK_HUNG" | "HOOK_MISSING" | "NOT_FROZEN" | "NOT_THAWED";

/** A fault that a person can mend: what was seen, and the next step. The host carries code, message and hint. */
export class HookFault extends Error {
  override readonly name = "HookFault";
  readonly code: FaultCode;
  readonly hint: string;

  constructor(code: FaultCode, message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.hint = hint;
  }
}
