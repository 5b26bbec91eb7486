import type { ClusterSettings } from "../../base/config/cluster-settings.js";
import type { ClusterHostsDocument } from "../../base/schema/types.js";
import { openCluster } from "../../cluster/open.js";
import { valueOf } from "../../cluster/set-view.js";

const CALL_MS = 5000;

/**
 * The hosts that are in the cluster now, the members of etcd, and the sets whose keys are still there.
 *
 * @throws HoldstillError E_CLUSTER_REFUSED, E_CLUSTER_UNREACHABLE, E_CLUSTER_DENIED
 */
export async function clusterHosts(settings: ClusterSettings): Promise<ClusterHostsDocument> {
  const { engine, keys, self } = openCluster(settings);
  try {
    const from = performance.now();
    const { entries } = await engine.read(keys.prefix, CALL_MS);
    const tookMs = Math.round((performance.now() - from) * 10) / 10;
    const hosts: ClusterHostsDocument["hosts"] = [];
    const sets: ClusterHostsDocument["sets"] = [];
    for (const { key: text, value } of entries) {
      const key = keys.parse(text);
      const read = valueOf(value);
      if (key?.type === "presence" && read?.key === "presence") {
        const { holdstill, protocol, allow, since } = read;
        hosts.push({ host: key.host, holdstill, protocol, allow, since });
      }
      if (key?.type === "plan" && read?.key === "plan")
        sets.push({ set: key.set, by: read.by.name, at: read.by.at, hosts: read.hosts.map(({ host }) => host) });
    }
    const members = (await engine.status(CALL_MS)).map((member) =>
      "problem" in member ? member : { url: member.url, version: member.version, leads: member.leads },
    );
    return { self, tookMs, holdMs: settings.limits.hold, hosts, members, sets };
  } finally {
    engine.close();
  }
}
