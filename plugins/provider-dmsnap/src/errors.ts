/** Something outside this code is not as it must be. The host shows the message, and the hint as the next step. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code:
    | "UNSUPPORTED"
    | "MAPPER"
    | "STORE"
    | "NO_SPACE"
    | "NO_SAFETY"
    | "NAME_TAKEN"
    | "UNKNOWN_SNAPSHOT"
    | "OVERFLOWED"
    | "BYPASSED"
    | "EXPOSED"
    | "IN_USE"
    | "MOUNT"
    | "REVERTING";
  readonly hint: string;

  constructor(code: Refusal["code"], message: string, hint: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
