import type { ClusterHostsDocument, ClusterSetDocument, RecordedCluster } from "../../base/schema/types.js";
import { instant } from "../../base/display/units.js";
import { hostsOf, isOneInstant, proofSteps } from "../../cluster/proof.js";
import type { TerminalStyle } from "../terminal/style.js";
import { tableLines } from "./table.js";

/** How a set over several hosts ended. */
export function clusterSetLines(
  { set, instant: shared, hosts, outcome }: ClusterSetDocument,
  style: TerminalStyle,
): string[] {
  const title =
    shared === null
      ? `${style.paint("red", `✗ ${outcome}`)}: cluster set ${set}; there is no set`
      : `${style.paint("green", "✓")} cluster set ${set} over ${hosts.length} hosts, ${shared === "atomic" ? "proven to be of one instant" : "not proven to be of one instant"}`;
  const rows = hosts.map(({ host, fate, consistency, heldMs, reason }) => [
    host,
    fate === "open" ? "has not reported what it did" : fate,
    fate === "undone" ? (reason ?? "") : (consistency ?? ""),
    heldMs === undefined || fate === "undone" ? "" : `held ${heldMs.toFixed(1)} ms`,
  ]);
  return [title, ...tableLines(rows, style)];
}

export const isProven = (cluster: RecordedCluster): boolean => isOneInstant(cluster.parts, hostsOf(cluster));

/** What `show` prints of a set over several hosts. */
export function clusterLines(cluster: RecordedCluster): string[] {
  const { parts, self } = cluster;
  const chain = parts.map(({ host, taken, seen, hold }) => {
    const held =
      hold === null
        ? "held nothing"
        : `held for ${(hold.releaseAt - hold.heldAt).toFixed(1)} ms, until all had stated it`;
    return `  ${host}${host === self ? " (this host)" : ""}: ${held}; stated at revision ${taken.revision}, saw all up to ${seen.revision}`;
  });
  return [
    `Hosts ${isProven(cluster) ? "held at one instant: each released after it had seen that all held" : "are not proven to have held at one instant"}`,
    ...chain,
  ];
}

/** Each step of the proof, with whether it holds. */
export function proofLines(cluster: RecordedCluster, style: TerminalStyle): string[] {
  const steps = proofSteps(cluster.parts, hostsOf(cluster));
  return [
    ...steps.map(
      ({ host, holds, claim }) => `${holds ? style.paint("green", "✓") : style.paint("red", "✗")} ${host}: ${claim}`,
    ),
    isProven(cluster)
      ? "So every host held before any host released, whatever their clocks show."
      : "This does not prove that all hosts held at one instant.",
  ];
}

export function clusterHostsLines(
  { self, tookMs, holdMs, hosts, members, sets }: ClusterHostsDocument,
  style: TerminalStyle,
): string[] {
  const hostRows = hosts.map(({ host, holdstill, allow }) => [
    `${host}${host === self ? " (this host)" : ""}`,
    `holdstill ${holdstill}`,
    allow.length === 0 ? "allows nothing" : `allows ${allow.join(", ")}`,
  ]);
  const memberRows = members.map(({ url, version, leads, problem }) => [
    url,
    problem ?? `etcd ${version ?? ""}${leads === true ? ", leads" : ""}`,
  ]);
  const setRows = sets.map(({ set, by, at, hosts: own }) => [set, `asked for by ${by} ${instant(at)}`, own.join(", ")]);
  return [
    hosts.length === 0 ? "No host is in the cluster now" : "Hosts",
    ...tableLines(hostRows, style),
    "",
    `etcd responded within ${tookMs} ms; a hold may take ${holdMs} ms`,
    ...tableLines(memberRows, style),
    ...(sets.length === 0 ? [] : ["", "Sets that are not settled on every host", ...tableLines(setRows, style)]),
  ];
}
