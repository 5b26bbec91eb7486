/**
 * Where the hosts of one set meet. A host states how far it is, and waits until it has seen the same of all others. That is all that the
 * shared instant needs: each release begins after its host has seen that all hold, and what was seen was sent before. No clock, lease,
 * or lock of the engine takes part in this.
 */
import type { HoldstillError } from "../base/errors/error.js";
import type { ClusterPart, Fault, RecordedCluster } from "../base/schema/types.js";

/** What this host states of its own part when it votes. */
export type OwnPart = Pick<ClusterPart, "consistency" | "hold">;

/** What became of the set, as far as this host is concerned. */
export type SetVerdict =
  | { type: "commit"; cluster: RecordedCluster }
  /** It will never be committed. */
  | { type: "abort"; error: HoldstillError }
  /** This host has voted, and the engine cannot be asked. */
  | { type: "unknown"; error: HoldstillError };

export interface Rendezvous {
  /**
   * States that this host has come to the step. Resolves when all have: at `armed` and `frozen` also the requester.
   *
   * @throws HoldstillError E_CLUSTER_HOST: another host withdrew; E_CLUSTER_LATE; E_CLUSTER_ABORTED; E_CLUSTER_UNREACHABLE
   */
  reach(step: "armed" | "frozen" | "taken", limitMs: number): Promise<void>;
  /** The vote. It must be in the journal by now. Never rejects. */
  vote(part: OwnPart, limitMs: number): Promise<SetVerdict>;
  /**
   * This host does not take part any more. Before its vote the result is always `abort`, and this host undoes alone. After it, only if
   * the withdrawal came before the verdict. Never rejects.
   */
  withdraw(cause: Fault): Promise<SetVerdict>;
  /** Resolves, if ever, before the vote: another host or the requester has given the set up. */
  readonly apart: Promise<HoldstillError>;
}
