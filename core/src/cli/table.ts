import type { CommandEntry } from "./parse/command.js";

/** Every command. Its file is loaded when it is called, or when its help is printed. */
export const commandTable: readonly CommandEntry[] = [
  {
    name: "doctor",
    summary: "check everything that a snapshot needs",
    load: async () => (await import("./commands/doctor.js")).doctor,
  },
  {
    name: "init",
    summary: "write a config for the databases on this machine",
    load: async () => (await import("./commands/init.js")).init,
  },
  {
    name: "plan",
    summary: "show what create would do; changes nothing",
    load: async () => (await import("./commands/plan.js")).planCommand,
  },
  {
    name: "create",
    summary: "take a snapshot set, or undo everything",
    load: async () => (await import("./commands/create.js")).createCommand,
  },
  {
    name: "run",
    summary: "take a set, run a command on its contents, remove the set",
    load: async () => (await import("./commands/run.js")).runCommand,
  },
  {
    name: "cluster hosts",
    summary: "list the hosts of the cluster, and check etcd",
    load: async () => (await import("./commands/cluster-hosts.js")).clusterHostsCommand,
  },
  {
    name: "cluster init",
    summary: "print the commands that prepare etcd for cluster sets",
    load: async () => (await import("./commands/cluster-init.js")).clusterInitCommand,
  },
  {
    name: "serve",
    summary: "take sets for other programs, over a Unix socket",
    load: async () => (await import("./commands/serve.js")).serveCommand,
  },
  { name: "list", summary: "list the snapshot sets", load: async () => (await import("./commands/list.js")).list },
  {
    name: "show",
    summary: "show the record of a set",
    load: async () => (await import("./commands/show.js")).show,
  },
  {
    name: "history",
    summary: "show past transactions, also failed ones, with the reason",
    load: async () => (await import("./commands/history.js")).history,
  },
  {
    name: "expose",
    summary: "make the contents of a set readable, and print where",
    load: async () => (await import("./commands/expose.js")).exposeCommand,
  },
  {
    name: "unexpose",
    summary: "undo expose",
    load: async () => (await import("./commands/unexpose.js")).unexpose,
  },
  {
    name: "verify",
    summary: "start the applications on a set's contents, and check them",
    load: async () => (await import("./commands/verify.js")).verifyCommand,
  },
  {
    name: "repair",
    summary: "make a set's repairs that were put off or have failed",
    load: async () => (await import("./commands/repair.js")).repairCommand,
  },
  {
    name: "diff",
    summary: "list the blocks that changed from one set to another",
    load: async () => (await import("./commands/diff.js")).diff,
  },
  {
    name: "export",
    summary: "write a set into a file, for another host",
    load: async () => (await import("./commands/export.js")).exportCommand,
  },
  {
    name: "import",
    summary: "make an exported set one of this host, and repair it",
    load: async () => (await import("./commands/import.js")).importCommand,
  },
  {
    name: "restore",
    summary: "put data back from a set, in place or elsewhere",
    load: async () => (await import("./commands/restore.js")).restoreCommand,
  },
  {
    name: "revert",
    summary: "have the storage put whole volumes back",
    load: async () => (await import("./commands/revert.js")).revertCommand,
  },
  {
    name: "delete",
    summary: "remove sets and their snapshots",
    load: async () => (await import("./commands/delete.js")).deleteCommand,
  },
  {
    name: "prune",
    summary: "delete the sets that no rule keeps",
    load: async () => (await import("./commands/prune.js")).prune,
  },
  {
    name: "retain",
    summary: "protect a set from deletion until a date",
    load: async () => (await import("./commands/retain.js")).retain,
  },
  {
    name: "complete",
    summary: "notify the writers of the result of the backup",
    load: async () => (await import("./commands/complete.js")).completeCommand,
  },
  {
    name: "recover",
    summary: "undo what transactions left after a crash",
    load: async () => (await import("./commands/recover.js")).recoverCommand,
  },
  {
    name: "writers",
    summary: "show what each writer owns",
    load: async () => (await import("./commands/writers.js")).writers,
  },
  {
    name: "providers",
    summary: "show which snapshots each provider has",
    load: async () => (await import("./commands/providers.js")).providers,
  },
  {
    name: "plugins list",
    summary: "list every plugin found, and why it is used or not",
    load: async () => (await import("./commands/plugins-list.js")).pluginsList,
  },
  {
    name: "plugins why",
    summary: "explain the choice of one plugin",
    load: async () => (await import("./commands/plugins-why.js")).pluginsWhy,
  },
  {
    name: "plugins lock",
    summary: "pin every plugin to its content, or check the pins",
    load: async () => (await import("./commands/plugins-lock.js")).pluginsLock,
  },
  {
    name: "plugins upgrade",
    summary: "use newer versions than the pinned ones",
    load: async () => (await import("./commands/plugins-upgrade.js")).pluginsUpgrade,
  },
  {
    name: "plugins check",
    summary: "check a plugin against the contract, in real workers",
    load: async () => (await import("./commands/plugins-check.js")).pluginsCheck,
  },
  {
    name: "plugins new",
    summary: "make a small working plugin to start from",
    load: async () => (await import("./commands/plugins-new.js")).pluginsNew,
  },
  {
    name: "schedule",
    summary: "make a systemd service and timer for regular runs",
    load: async () => (await import("./commands/schedule.js")).schedule,
  },
  {
    name: "metrics",
    summary: "print figures for Prometheus",
    load: async () => (await import("./commands/metrics.js")).metrics,
  },
  {
    name: "completions",
    summary: "print a completion script for the shell",
    load: async () => (await import("./commands/completions.js")).completions,
  },
  {
    name: "manual",
    summary: "print the manual page",
    load: async () => (await import("./commands/manual.js")).manual,
  },
];
