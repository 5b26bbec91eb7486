import type { ClusterSettings } from "../../base/config/cluster-settings.js";
import type { ClusterRequest } from "../../engine/cluster/requested-set.js";
import { UsageError } from "./usage-error.js";

/**
 * `app1=writer:pg-main app2=/srv`, or the name of one group of the config.
 *
 * @throws UsageError
 */
export function clusterHostsOf(operands: readonly string[], cluster: ClusterSettings | null): ClusterRequest["hosts"] {
  const [first = ""] = operands;
  const group =
    operands.length === 1 && Object.hasOwn(cluster?.groups ?? {}, first) ? cluster?.groups[first] : undefined;
  if (group !== undefined) return Object.entries(group).map(([host, targets]) => ({ host, targets }));
  const hosts = new Map<string, string[]>();
  for (const operand of operands) {
    const [, host, target] = /^([A-Za-z0-9][A-Za-z0-9._-]{0,62})=(writer:.+|\/.*)$/.exec(operand) ?? [];
    if (host === undefined || target === undefined) throw notATarget(operand, Object.keys(cluster?.groups ?? {}));
    hosts.set(host, [...(hosts.get(host) ?? []), target]);
  }
  return [...hosts].map(([host, targets]) => ({ host, targets }));
}

function notATarget(operand: string, groups: readonly string[]): UsageError {
  const known = groups.length === 0 ? "" : ` Groups of the config: ${groups.join(", ")}.`;
  return new UsageError(
    `With --cluster, \`${operand}\` is neither HOST=TARGET nor a group.`,
    `Write app1=writer:pg-main or app2=/srv.${known}`,
  );
}
