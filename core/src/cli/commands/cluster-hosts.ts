import { command, noOperands } from "../parse/command.js";
import { print, printDocument, stdoutStyle } from "../terminal/output.js";

export const clusterHostsCommand = command({
  about:
    "Lists the hosts whose service is in the cluster now, and what each allows others to have captured. Also lists the members of etcd, and the sets that are not settled on every host.",
  operands: noOperands,
  options: {},
  examples: [{ line: "holdstill cluster hosts", does: "which hosts are there, and how quickly etcd responds" }],
  async run({ form, open }) {
    const { settings } = await open("catalog");
    const { clusterOf } = await import("../../engine/cluster/requested-set.js");
    const { clusterHosts } = await import("../../engine/cluster/hosts.js");
    const found = await clusterHosts(clusterOf(settings.cluster));
    const { clusterHostsLines } = await import("../render/cluster.js");
    if (form === "json") printDocument("cluster-hosts", found);
    else print(clusterHostsLines(found, stdoutStyle()));
    return 0;
  },
});
