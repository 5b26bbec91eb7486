export type RefusalCode =
  | "LVM_FAILED"
  | "LOCKED"
  | "MAPPER_FAILED"
  | "UNSUPPORTED"
  | "INACTIVE"
  | "NO_SPACE"
  | "POOL_FULL"
  | "NO_SAFETY"
  | "NAME_TAKEN"
  | "CHANGED"
  | "INVALID"
  | "BUSY"
  | "MOUNT"
  | "UNKNOWN_SNAPSHOT";

/** Something outside this code is not as it must be. The host shows the message, and the hint as the next step. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: RefusalCode;
  readonly hint: string;

  constructor(code: RefusalCode, message: string, hint: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}
