/** Something outside this code is not as it must be. The host shows the message, and the hint as the next step. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: "UNREADABLE" | "NO_SPACE" | "STORE" | "COPY_FAILED" | "UNKNOWN_SNAPSHOT" | "MOUNT";
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
