/** What the host and a plugin that is a program exchange beside the methods of the contract. */
import type { ExecOptions } from "../../os/exec/options.js";

/** The params of `initialize`, the first request to a program. */
export interface Initialize {
  readonly role: "writer" | "provider";
  /** The instance's block of the config: checked against the manifest's schema, with its defaults filled in. */
  readonly options: Record<string, unknown>;
  /** A folder for this instance alone, mode 0700. It is kept between transactions, and all workers of the instance share it. */
  readonly dataDir: string;
  /** The contract version that the host uses with this plugin: the highest one that both support. */
  readonly protocol: number;
  readonly host: HostInfo;
}

/** The host, as a plugin sees it. */
export interface HostInfo {
  /** The host's semantic version. */
  readonly version: string;
}

/** The result of `initialize`. */
export interface Initialized {
  /** The names of the contract's methods that the program has. Others are ignored. */
  readonly methods: readonly string[];
}

/** The parameter `context` of each method. */
export interface CallContext {
  /** The number of this call, for `exec`. */
  readonly call: number;
  /** When the host abandons this call: ms from the arrival of the request. */
  readonly limitMs: number;
}

/** The params of `exec`, the request of a program that the host runs another one: `Context.exec`. */
export interface ExecRequest {
  /** The number of the call that it is for. The program that is run ends with that call. */
  readonly call: number;
  readonly command: string;
  readonly args?: readonly string[];
  readonly options?: ExecOptions;
}

/** The params of the notification `log`: `Context.log`. */
export interface LogMessage {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly fields?: Record<string, unknown>;
}

/** The params of the notification `progress`: `Context.progress`. */
export interface Progress {
  readonly message: string;
  readonly done?: number;
  readonly total?: number;
}

/** What `data` of an error object has, in both directions. */
export interface ErrorData {
  /** The plugin's code for the error, such as `NO_SAFETY`, or the host's, such as `E_EXEC_DENIED`. */
  readonly code?: string;
  /** What a user can do: the next step. */
  readonly hint?: string;
  /** The stack of the error, for the log. */
  readonly stack?: string;
}
