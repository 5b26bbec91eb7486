import type { CommandEntry } from "./parse/command.js";

/** Every command. Its file is loaded when it is called, or when its help is asked for. */
export const commandTable: readonly CommandEntry[] = [
  {
    name: "doctor",
    summary: "look at all that a snapshot will need",
    load: async () => (await import("./commands/doctor.js")).doctor,
  },
  {
    name: "init",
    summary: "write a config for the databases that run here",
    load: async () => (await import("./commands/init.js")).init,
  },
  {
    name: "plan",
    summary: "show what create would do; touches nothing",
    load: async () => (await import("./commands/plan.js")).planCommand,
  },
  {
    name: "create",
    summary: "take a snapshot set, or undo everything",
    load: async () => (await import("./commands/create.js")).createCommand,
  },
  {
    name: "run",
    summary: "take a set, run a command with its snapshots, remove the set",
    load: async () => (await import("./commands/run.js")).runCommand,
  },
  {
    name: "hold",
    summary: "take a set that lives while stdin is open",
    load: async () => (await import("./commands/hold.js")).holdCommand,
  },
  {
    name: "serve",
    summary: "be a service for requesters in any language, on a Unix socket",
    load: async () => (await import("./commands/serve.js")).serveCommand,
  },
  { name: "list", summary: "the snapshot sets", load: async () => (await import("./commands/list.js")).list },
  {
    name: "show",
    summary: "everything that is known of a set",
    load: async () => (await import("./commands/show.js")).show,
  },
  {
    name: "history",
    summary: "past transactions, also those that failed, and why",
    load: async () => (await import("./commands/history.js")).history,
  },
  {
    name: "expose",
    summary: "make a set's snapshots readable, and say where",
    load: async () => (await import("./commands/expose.js")).exposeCommand,
  },
  {
    name: "unexpose",
    summary: "undo expose",
    load: async () => (await import("./commands/unexpose.js")).unexpose,
  },
  {
    name: "verify",
    summary: "start the applications on a set's snapshots, and look",
    load: async () => (await import("./commands/verify.js")).verifyCommand,
  },
  {
    name: "restore",
    summary: "put data back from a set, or elsewhere",
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
    summary: "let nobody delete a set before a date",
    load: async () => (await import("./commands/retain.js")).retain,
  },
  {
    name: "complete",
    summary: "tell a set's writers how the backup went",
    load: async () => (await import("./commands/complete.js")).completeCommand,
  },
  {
    name: "recover",
    summary: "undo what transactions that died have left",
    load: async () => (await import("./commands/recover.js")).recoverCommand,
  },
  {
    name: "writers",
    summary: "ask every writer what it owns",
    load: async () => (await import("./commands/writers.js")).writers,
  },
  {
    name: "providers",
    summary: "ask every provider which snapshots exist",
    load: async () => (await import("./commands/providers.js")).providers,
  },
  {
    name: "plugins list",
    summary: "every plugin found, and why it was or wasn't taken",
    load: async () => (await import("./commands/plugins-list.js")).pluginsList,
  },
  {
    name: "plugins why",
    summary: "what decides about one plugin, and which config line asks",
    load: async () => (await import("./commands/plugins-why.js")).pluginsWhy,
  },
  {
    name: "plugins lock",
    summary: "pin every plugin to its content, or check that",
    load: async () => (await import("./commands/plugins-lock.js")).pluginsLock,
  },
  {
    name: "plugins check",
    summary: "check a plugin against the contract, on real workers",
    load: async () => (await import("./commands/plugins-check.js")).pluginsCheck,
  },
  {
    name: "plugins new",
    summary: "make a plugin that works, to be changed into yours",
    load: async () => (await import("./commands/plugins-new.js")).pluginsNew,
  },
  {
    name: "schedule",
    summary: "a systemd service and timer for a nightly run",
    load: async () => (await import("./commands/schedule.js")).schedule,
  },
  {
    name: "metrics",
    summary: "figures for Prometheus",
    load: async () => (await import("./commands/metrics.js")).metrics,
  },
  {
    name: "completions",
    summary: "what a shell needs to complete commands",
    load: async () => (await import("./commands/completions.js")).completions,
  },
  {
    name: "manual",
    summary: "the manual page",
    load: async () => (await import("./commands/manual.js")).manual,
  },
];
