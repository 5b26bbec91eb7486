/** One program, as it is called once. */
export interface Call {
  readonly program: string;
  readonly args: readonly string[];
  /** The convention's own limit, ms; the host's deadline holds anyway. */
  readonly limitMs?: number;
  /** How often it is tried again when it fails. */
  readonly retries?: number;
  /** Exit codes beside 0 that mean success. */
  readonly warnings?: readonly number[];
}

/** How a hook thaws the application. */
export interface Undo {
  /** After a freeze that was in force. */
  readonly thaw: Call;
  /** After a freeze that failed, hung, or was aborted. */
  readonly fail: Call;
}

/** Something that freezes an application, or a part of it, and thaws it. */
export interface Hook extends Undo {
  readonly freeze: Call;
}

/** All hooks of a convention, in the order of freezing. */
export interface Hooks {
  readonly convention: "own" | "qemu" | "vmware" | "azure";
  readonly list: readonly Hook[];
  /** The order of thawing. */
  readonly thawing: "same" | "reverse";
}
