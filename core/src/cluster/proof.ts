/**
 * Whether the hosts of a set held at one instant, from what they have stated. Pure.
 *
 * For each host i: hᵢ, everything was held; tᵢ, it sent "taken"; sⱼ, host j had seen this of all; rⱼ, host j requested its release.
 * hᵢ ≤ tᵢ by the clock of i; the statement of i is in the engine's log at or below the revision that j had seen, so it was sent before
 * sⱼ; sⱼ ≤ rⱼ by the clock of j. Together: hᵢ before rⱼ for all i and j, so there is an instant at which all held. Clocks of different
 * hosts are never compared.
 */
import type { ClusterPart, RecordedCluster } from "../base/schema/types.js";
import type { ClusterKeys } from "./keys.js";
import type { SetView } from "./set-view.js";

export interface ProofStep {
  readonly host: string;
  readonly holds: boolean;
  readonly claim: string;
}

/** All that has to be true, each with whether it is. */
export function proofSteps(parts: readonly ClusterPart[], hosts: readonly string[]): ProofStep[] {
  const last = Math.max(...parts.map(({ taken }) => taken.revision));
  const engine = parts[0]?.clusterId;
  return hosts.flatMap((host): ProofStep[] => {
    const part = parts.find((one) => one.host === host);
    if (part === undefined) return [{ host, holds: false, claim: "its part is in the record" }];
    const { taken, seen, hold, clusterId } = part;
    if (hold === null) return [{ host, holds: false, claim: "it held its volumes" }];
    return [
      {
        host,
        holds: hold.heldAt <= taken.at,
        claim: `it held at ${ms(hold.heldAt)}, and stated so at ${ms(taken.at)}`,
      },
      {
        host,
        holds: last <= seen.revision && clusterId === engine,
        claim: `it had seen this of all hosts up to revision ${seen.revision}, of which the last was ${last}`,
      },
      {
        host,
        holds: seen.at <= hold.releaseAt,
        claim: `it had seen this at ${ms(seen.at)}, and released at ${ms(hold.releaseAt)}`,
      },
    ];
  });
}

export const isOneInstant = (parts: readonly ClusterPart[], hosts: readonly string[]): boolean =>
  parts.length === hosts.length && proofSteps(parts, hosts).every(({ holds }) => holds);

/** What a host records of a set with the verdict commit. */
export function clusterRecord(view: SetView, keys: ClusterKeys, self: string, set: string): RecordedCluster {
  const { hosts, verdict } = view;
  const parts = hosts.flatMap((host) => view.voteOf(host) ?? []);
  return {
    self,
    key: keys.of({ type: "verdict", set }),
    instant: isOneInstant(parts, hosts) ? "atomic" : "unproven",
    verdictRevision: verdict?.revision ?? 0,
    parts,
  };
}

/** The names of the set's hosts, from its record. */
export const hostsOf = ({ parts }: RecordedCluster): string[] => parts.map(({ host }) => host);

const ms = (at: number): string => `${at.toFixed(3)} ms`;
