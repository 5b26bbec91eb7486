import { command } from "../parse/command.js";
import { UsageError } from "../parse/usage-error.js";
import { print, printDocument } from "../terminal/output.js";

export const clusterInitCommand = command({
  about:
    "Prints the commands that prepare etcd: a key and a certificate request for each host, a user for each name, and the roles. A host can only write below its own name. Only a host that is named with --requester can ask for sets. Nothing is executed.",
  operands: [{ name: "HOST", repeat: "at-least-once" }],
  options: {
    requester: {
      type: "list",
      value: "NAME",
      about: "may ask for sets: a host, or another name; may be repeated",
      required: true,
    },
  },
  examples: [
    { line: "holdstill cluster init app1 app2 app3 --requester app1", does: "app1 may also ask for sets" },
    {
      line: "holdstill cluster init app1 app2 --requester backup | less",
      does: "sets are asked for on another host, named backup",
    },
  ],
  async run({ operands: hosts, values: { requester: requesters }, form, open }) {
    const wrong = [...hosts, ...requesters].find((name) => !/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name));
    if (wrong !== undefined)
      throw new UsageError(
        `\`${wrong}\` is not a name of a host.`,
        "Use letters, digits, dots, underscores, and hyphens.",
      );
    const { settings } = await open("catalog");
    const commands = commandsFor(hosts, requesters, settings.cluster?.prefix ?? "/holdstill/v1/");
    if (form === "json") printDocument("cluster-init", { commands });
    else print(commands);
    return 0;
  },
});

const grant = (role: string, right: "read" | "readwrite", key: string): string =>
  `etcdctl role grant-permission ${role} --prefix=true ${right} ${key}`;

/** For sh, with `etcdctl` and `openssl`. */
function commandsFor(hosts: readonly string[], requesters: readonly string[], prefix: string): string[] {
  const names = [...new Set([...hosts, ...requesters])];
  return [
    "# On each host: a key that stays there, and a certificate request for your authority",
    ...names.map(
      (name) => `openssl req -new -newkey rsa:2048 -nodes -subj /CN=${name} -keyout ${name}.key -out ${name}.csr`,
    ),
    "# Once, as root of etcd: the common name of a certificate is the user",
    ...["plan", "requester", "verdict"].flatMap((type, index) => [
      ...(index === 0 ? ["etcdctl role add holdstill-requester"] : []),
      grant("holdstill-requester", "readwrite", `${prefix}${type}/`),
    ]),
    "etcdctl role add holdstill-reader",
    grant("holdstill-reader", "read", prefix),
    ...names.flatMap((name) => [
      `etcdctl user add ${name} --no-password`,
      `etcdctl user grant-role ${name} holdstill-reader`,
    ]),
    ...hosts.flatMap((name) => [
      `etcdctl role add holdstill-host-${name}`,
      grant(`holdstill-host-${name}`, "readwrite", `${prefix}host/${name}/`),
      `etcdctl user grant-role ${name} holdstill-host-${name}`,
    ]),
    ...requesters.map((name) => `etcdctl user grant-role ${name} holdstill-requester`),
    "# Then, if it is not on yet. From here on etcd needs --client-cert-auth and --trusted-ca-file:",
    "# etcdctl user add root --no-password && etcdctl user grant-role root root && etcdctl auth enable",
  ];
}
