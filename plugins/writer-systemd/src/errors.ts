/** What can be wrong with a control group; the README has a table. */
export type FaultCode =
  | "CGROUP_V2_MISSING"
  | "CGROUP_MISSING"
  | "CGROUP_AMBIGUOUS"
  | "CGROUP_OURS"
  | "CGROUP_FROZEN"
  | "CGROUP_EMPTY"
  | "CGROUP_STUCK"
  | "CGROUP_RIGHTS";

/** A fault that a person can mend: what was seen, and the next step. The host carries code, message and hint. */
export class CgroupFault extends Error {
  override readonly name = "CgroupFault";
  readonly code: FaultCode;
  readonly hint: string;

  constructor(code: FaultCode, message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.hint = hint;
  }
}
