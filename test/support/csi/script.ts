import type { status } from "@grpc/grpc-js";

/** How the driver of the tests behaves. Its process reads it again for each call. */
export interface Script {
  /** What it has, by the names of the specification. Default: everything. */
  readonly lacks?: readonly string[];
  /** By method. */
  readonly faults?: Readonly<Record<string, Fault>>;
  /** What Probe returns. Default: it is ready. */
  readonly ready?: false;
  /** A snapshot is ready so long after it was cut, ms. */
  readonly readyAfterMs?: number;
  /** It rests so long between two volumes of a group, ms: without a hold, its group snapshots are torn. */
  readonly restMs?: number;
  /** A group has one snapshot less than volumes in its answer. */
  readonly forgetsOne?: true;
  /** A second request with the same name makes another snapshot, or is refused. */
  readonly secondRequest?: "makes-another" | "is-refused";
  /** It refuses each request without this secret. */
  readonly secret?: { readonly name: string; readonly value: string };
}

export interface Fault {
  /** The status that is returned in place of the work. */
  readonly code?: status;
  /** How often, since the script was written. Default: always. */
  readonly times?: number;
  /** Before the work, ms. */
  readonly delayMs?: number;
  /** The work is done, and then all connections are closed before the answer is sent. */
  readonly losesAnswer?: true;
}

/** The files of a driver, in its folder. */
export const files = { socket: "csi.sock", script: "script.json", state: "state.json", calls: "calls.log" };

/** A line of the log of calls. */
export interface LoggedCall {
  readonly method: string;
  readonly request: Readonly<Record<string, unknown>>;
  /** ms since the epoch; null: the caller gave none. */
  readonly deadline: number | null;
}
