import { fileChanges } from "../display/file-changes.js";
import { bytes } from "../display/units.js";
import type { Code, Details, Who } from "./details.js";
import { exit, type ExitCode } from "./exit.js";

interface Entry<D> {
  message(details: D): string;
  /** The command or the setting that fixes it. */
  hint(details: D): string;
  exit: ExitCode;
}

const named = ({ role, instance, plugin, version }: Who): string => `${role} \`${instance}\` (${plugin} ${version})`;
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`;
const maybe = (name: string | undefined): string => (name === undefined ? "" : ` Did you mean \`${name}\`?`);

const inPool = (pool: string | undefined): string => (pool === undefined ? "" : ` in ${pool}`);

/** Every error that holdstill reports: what happened and what was seen, what fixes it, and the exit code of the command line. */
export const catalogue: { readonly [C in Code]: Entry<Details[C]> } = {
  E_USAGE: { message: (d) => d.problem, hint: (d) => d.hint, exit: exit.usage },
  E_CONFIG_NOT_FOUND: {
    message: (d) => `The config file ${d.file} does not exist.`,
    hint: () => "Name an existing file with --config, or omit the option to search the usual folders.",
    exit: exit.usage,
  },
  E_CONFIG_UNREADABLE: {
    message: (d) => `The config file ${d.file} cannot be read: ${d.reason}.`,
    hint: () => "Make the file readable for the user that runs holdstill.",
    exit: exit.usage,
  },
  E_CONFIG_UNTRUSTED: {
    message: (d) =>
      `The config file ${d.file} is not used because another user can change it: ${d.problems[0]?.problem}.`,
    hint: (d) => `${d.problems.map(({ remedy }) => remedy).join("; ")}. If you trust the file, name it with --config.`,
    exit: exit.usage,
  },
  E_CONFIG_INVALID: {
    message: (d) => `The config has ${count(d.findings.length, "error")}.`,
    hint: () => "Fix each line listed. Nothing was started.",
    exit: exit.usage,
  },

  E_MANIFEST_INVALID: {
    message: (d) => `The manifest ${d.findings[0]?.file ?? ""} has ${count(d.findings.length, "error")}.`,
    hint: () => "Fix plugin.json, or ask the plugin's vendor for a valid version.",
    exit: exit.usage,
  },
  E_PLUGIN_UNRESOLVED: {
    message: (d) =>
      d.use === undefined
        ? `The config has no plugin instance \`${d.instance}\`, which this set or transaction needs.`
        : `No plugin matches \`use: ${d.use}\` (instance ${d.instance}).${maybe(d.nearest)}`,
    hint: (d) =>
      d.use === undefined
        ? `Add the plugin to the config, with \`as: ${d.instance}\`. If it was renamed there, restore that name.`
        : d.candidates.length === 0
          ? "Install the plugin into a folder that pluginPaths names. If the instance was renamed in the config, restore its name with `as:`. `holdstill plugins list` shows the plugins found."
          : "`holdstill plugins list` shows every candidate and why it was not selected.",
    exit: exit.usage,
  },
  E_PLUGIN_UNTRUSTED: {
    message: (d) =>
      `The plugin in ${d.dir} is not loaded because another user can change it: ${d.problems[0]?.problem}.`,
    hint: (d) => d.problems.map((problem) => problem.remedy).join("; "),
    exit: exit.usage,
  },
  E_PLUGIN_LOCKED: {
    message: (d) =>
      d.expected === null
        ? `The lock file does not list ${d.name} ${d.version}.`
        : `The content of ${d.name} ${d.version} differs from the lock file: ${fileChanges(d.changes)}.`,
    hint: () =>
      "If the change was intended, update the lock file with `holdstill plugins lock`. Otherwise reinstall the plugin from a source that you trust.",
    exit: exit.usage,
  },
  E_PLUGIN_UNPINNED: {
    message: (d) =>
      d.file === null
        ? "A lock file belongs beside a config file, and there is no config file."
        : `The lock file ${d.file} does not exist, so no plugin is pinned.`,
    hint: (d) =>
      d.file === null
        ? "Write a config that names the plugins to pin, or name one with --config."
        : "Run `holdstill plugins lock` to write it.",
    exit: exit.usage,
  },
  E_PLUGINS_REFUSED: {
    message: (d) => `The plugins have ${count(d.problems.length, "problem")}.`,
    hint: (d) => d.problems.map(({ message, hint = "" }) => `${message} ${hint}`).join("\n"),
    exit: exit.usage,
  },

  E_PLUGIN_LOAD: {
    message: (d) => `${named(d.who)} could not be loaded: ${d.reason}.`,
    hint: () => "Check that the plugin is built and that its dependencies are installed.",
    exit: exit.aborted,
  },
  E_PLUGIN_FAILED: {
    message: (d) => `${named(d.who)} failed in ${d.op}: ${d.reason}`,
    hint: (d) => d.pluginHint ?? "The plugin reported this. Run the command with --verbose to see the plugin's log.",
    exit: exit.aborted,
  },
  E_PLUGIN_DIED: {
    message: (d) => `The worker of ${named(d.who)} ended during ${d.op}: ${d.reason}.`,
    hint: (d) =>
      d.isolation === "process"
        ? "This is a bug in the plugin. Report it to its vendor, with the reason."
        : "This is a bug in the plugin. Set `isolation: process` in the config to contain more kinds of crash.",
    exit: exit.aborted,
  },
  E_DEADLINE: {
    message: (d) => `${named(d.who)}, worker ${d.worker}, did not finish ${d.op} within ${seconds(d.limitMs)}.`,
    hint: ({ who }) =>
      `Check why the ${who.role === "writer" ? "application" : "storage"} did not respond in time. \`holdstill plan\` shows the limits, which \`limits\` in the config sets.`,
    exit: exit.aborted,
  },
  E_CANCELLED: {
    message: (d) => `${d.op} of ${named(d.who)} was cancelled because the transaction was aborted.`,
    hint: () => "See the error that aborted the transaction.",
    exit: exit.aborted,
  },
  E_ANSWER_INVALID: {
    message: (d) => `${named(d.who)} returned an invalid result from ${d.op}: ${count(d.findings.length, "error")}.`,
    hint: () => "This is a bug in the plugin. Report it to the plugin's vendor.",
    exit: exit.aborted,
  },
  E_ANSWER_UNCLONEABLE: {
    message: (d) => `${named(d.who)} returned a result from ${d.op} that is not data: ${d.reason}.`,
    hint: () => "Results must be JSON values. This is a bug in the plugin: report it to the plugin's vendor.",
    exit: exit.aborted,
  },
  E_UNREACHABLE: {
    message: (d) => `${named(d.who)} could not see its storage, or a part of it, in ${d.op}: ${d.reason}`,
    hint: (d) =>
      d.pluginHint ??
      "Make the storage available, and repeat the command. If it no longer exists: holdstill delete SET --forget",
    exit: exit.aborted,
  },
  E_VOLUME_REFUSED: {
    message: (d) => `${named(d.who)} cannot capture ${d.volume}: ${d.reason}`,
    hint: (d) => d.pluginHint ?? "Name another provider before this one in the config.",
    exit: exit.refused,
  },
  E_NOT_MOUNTED: {
    message: (d) => `Set ${d.set} cannot be finished: nothing is mounted at ${d.mountPoints.join(", ")}.`,
    hint: (d) => `Mount it: mount ${d.mountPoints[0]}`,
    exit: exit.refused,
  },
  E_FROZEN: {
    message: (d) =>
      d.cause.type === "suspended"
        ? `${d.volume} cannot be captured: another program has suspended its device ${d.cause.device}.`
        : `${d.volume} cannot be captured: its file system is frozen, or its disk does not respond.`,
    hint: (d) =>
      d.cause.type === "suspended"
        ? `If nothing needs that any more: dmsetup resume ${d.cause.device}`
        : `If nothing needs that any more: fsfreeze --unfreeze ${d.volume}`,
    exit: exit.refused,
  },
  E_NOT_ADOPTABLE: {
    message: (d) =>
      `${d.provider} does not know what ${d.snapshot} of set ${d.set} captured, so there is no record of it.`,
    hint: () => "Mount the original volume where it was, and run `holdstill recover --adopt` again.",
    exit: exit.refused,
  },
  E_NOT_OFFERED: {
    message: (d) => `${named(d.who)} does not support ${d.op}.`,
    hint: ({ op }) =>
      op === "beforeRestore"
        ? "Restore with `--to DIR`, which asks no writer. Then stop the application, and copy the data to its place."
        : "Use a plugin that supports it, or perform this step manually.",
    exit: exit.refused,
  },
  E_EXEC_DENIED: {
    message: (d) => `${named(d.who)} tried to run \`${d.command}\`, which its manifest does not list.`,
    hint: (d) =>
      `The manifest lists: ${d.allowed.join(", ") || "nothing"}. The plugin's author must add the program to \`requires.commands\`.`,
    exit: exit.aborted,
  },
  E_EXEC_MISSING: {
    message: (d) =>
      `${named(d.who)} needs \`${d.command}\`, which ${d.command.startsWith("/") ? "does not exist" : "is not on PATH"}.`,
    hint: (d) =>
      d.command.startsWith("/")
        ? `Install the program there, or correct what names ${d.command}: an option, or the first line of a script.`
        : `Install the package that contains ${d.command}.`,
    exit: exit.usage,
  },
  E_EXEC_UNTRUSTED: {
    message: (d) =>
      `${named(d.who)} may not run ${d.command} because another user can change it: ${d.problems[0]?.problem}.`,
    hint: (d) => d.problems.map(({ remedy }) => remedy).join("; "),
    exit: exit.usage,
  },

  E_TARGET_UNREADABLE: {
    message: (d) => `The target ${d.target} cannot be read: ${d.reason}.`,
    hint: (d) => d.remedy ?? "Name an existing path that the user running holdstill can read.",
    exit: exit.refused,
  },
  E_TARGET_UNKNOWN: {
    message: (d) => `The config has no writer instance \`${d.target}\`.${maybe(d.nearest)}`,
    hint: (d) =>
      d.known.length === 0 ? "The config names no writers." : `The config names these writers: ${d.known.join(", ")}.`,
    exit: exit.usage,
  },
  E_NO_PROVIDER: {
    message: (d) =>
      [`No provider can capture ${d.paths.join(", ")} (volume ${d.volume}).`, ...d.failed.map((f) => f.message)].join(
        " ",
      ),
    hint: (d) =>
      d.failed[0]?.hint ??
      `Providers tried: ${d.asked.join("; ") || "none"}. Add a provider for this storage to the config.`,
    exit: exit.refused,
  },
  E_HOLD_REFUSED: {
    message: (d) => `${d.refusals[0]?.target} cannot be held: ${d.refusals.map(({ reason }) => reason).join("; ")}.`,
    hint: (d) => [...new Set(d.refusals.map(({ remedy }) => remedy))].join(" "),
    exit: exit.refused,
  },
  E_HOLD_BUSY: {
    message: (d) => `${d.target} is already frozen or suspended by another process.`,
    hint: () =>
      "It was left unchanged. Find out what froze it, then release it with `fsfreeze -u` or `dmsetup resume`.",
    exit: exit.aborted,
  },
  E_HOLD_FAILED: {
    message: (d) => `The critical section failed at ${d.where}: ${d.reason}.`,
    hint: () => "All volumes were released. The reason comes from the kernel, and its log may have more details.",
    exit: exit.aborted,
  },
  E_HOLD_LATE: {
    message: (d) => `${d.targets.join(", ")} could not be held within ${seconds(d.limitMs)}.`,
    hint: () =>
      "All other volumes were released, and a hold that arrives late is released at once. Check for a device below it that hangs.",
    exit: exit.aborted,
  },
  E_HOLD_LAPSED: {
    message: (d) => `The hold on ${d.targets.join(", ")} ended early: ${d.reason}.`,
    hint: () => "The snapshots do not share one instant and are not kept. Run the command again.",
    exit: exit.aborted,
  },
  E_KEEPER: {
    message: (d) => `The keeper, the process that holds volumes, failed: ${d.reason}.`,
    hint: () =>
      "Check that Node.js can start processes and that you are root. `holdstill recover` releases what a killed keeper may still hold.",
    exit: exit.aborted,
  },
  E_PLAN_INCONSISTENT: {
    message: (d) =>
      `Component ${d.component} of writer \`${d.writer}\` requires a ${d.tolerates} snapshot. Provider \`${d.provider}\` makes a ${d.cut} one.`,
    hint: (d) =>
      d.remedy === undefined
        ? `Use a provider that makes ${d.tolerates} snapshots. Alternatively, set the writer's policy to best-effort and accept a lower consistency.`
        : `Use a provider that makes ${d.tolerates} snapshots: ${d.remedy}.`,
    exit: exit.refused,
  },
  E_PLAN_SPACE: {
    message: (d) =>
      `The snapshots of ${d.volumes.join(", ")} need ${bytes(d.neededBytes)}${inPool(d.pool)}, where ${bytes(d.freeBytes)} are free.`,
    hint: (d) => `Delete sets or extend the storage of provider \`${d.provider}\`, or name fewer targets.`,
    exit: exit.refused,
  },
  E_PLAN_SNAPSHOTS: {
    message: (d) =>
      `The storage allows ${count(d.limit, "snapshot")}${inPool(d.pool)}, and has ${d.used}: too many for ${d.volumes.join(", ")}.`,
    hint: (d) => `Delete sets, or raise the limit in the storage of provider \`${d.provider}\`.`,
    exit: exit.refused,
  },
  E_PLAN_BELOW: {
    message: (d) => `Consistency ${d.asked} is required, but this plan can reach only ${d.promised}: ${d.reason}`,
    hint: (d) =>
      d.promised === "none"
        ? "`holdstill doctor` shows which storage can do better. To accept such a copy, give `--require none`."
        : "Add a writer for the data, use another provider, or lower --require.",
    exit: exit.refused,
  },
  E_WRITERS_SHARE: {
    message: (d) => `Writers \`${d.writers[0]}\` and \`${d.writers[1]}\` both report the database in ${d.path}.`,
    hint: () =>
      "They connect to the same server. Check the host, port, and socket of both in the config, or remove one of them.",
    exit: exit.refused,
  },
  E_VOLUME_BUSY: {
    message: (d) =>
      `Volume ${d.volume} belongs to transaction ${d.owner.transaction} (pid ${d.owner.pid}, since ${d.owner.since}). This one waited ${seconds(d.waitedMs)}.`,
    hint: () => "Run the command again after that transaction has ended, or raise limits.queue.",
    exit: exit.refused,
  },
  E_FREEZE_LOST: {
    message: (d) => `The freeze of ${named(d.who)} did not last until thaw: ${d.reason}.`,
    hint: () => "The set was created with a lower consistency. Its record shows which component is affected.",
    exit: exit.degraded,
  },
  E_REPAIR_FAILED: {
    message: (d) => `The snapshot for ${named(d.who)} could not be repaired: ${d.reason}.`,
    hint: () =>
      "The set was created with a lower consistency. The application has to run its own recovery when it opens the snapshot.",
    exit: exit.degraded,
  },
  E_INTERRUPTED: {
    message: (d) => `Interrupted by ${d.signal}. The transaction was aborted.`,
    hint: () => "Nothing is frozen, and nothing is left behind. Run the command again.",
    exit: exit.interrupted,
  },
  E_OPEN_FILES: {
    message: (d) => `Too many files are open: ${d.reason}.`,
    hint: () =>
      "Raise the limit with `ulimit -n 1024`, or LimitNOFILE= of the systemd unit. Then run the command again.",
    exit: exit.refused,
  },
  E_BUG: {
    message: (d) => `This is a bug in holdstill: ${d.message}`,
    hint: () => "Report it with the output of the same command run with --verbose.",
    exit: exit.bug,
  },
  E_RESIDUE: {
    message: (d) => `Transaction ${d.transaction} left something that could not be undone.`,
    hint: () => "Run `holdstill recover` to list what is left and to try again.",
    exit: exit.residue,
  },

  E_CLUSTER_UNREACHABLE: {
    message: (d) =>
      `etcd cannot be reached${d.endpoints.length === 0 ? "" : ` at ${d.endpoints.join(", ")}`}: ${d.reason}.`,
    hint: () =>
      "Check `cluster.endpoints` and `cluster.tls` in the config, and with `etcdctl endpoint health` that most members run.",
    exit: exit.aborted,
  },
  E_CLUSTER_DENIED: {
    message: (d) => `etcd does not allow ${d.name} to use ${d.key}: ${d.reason}.`,
    hint: () => "`holdstill cluster init` prints the users and the roles that hosts and requesters need.",
    exit: exit.usage,
  },
  E_CLUSTER_HOST: {
    message: (d) => `Host ${d.host} withdrew from the set: ${d.reason}`,
    hint: (d) => `Fix the cause on ${d.host}. Everything was undone on this host.`,
    exit: exit.aborted,
  },
  E_CLUSTER_LATE: {
    message: (d) =>
      `${d.hosts.length === 0 ? "No verdict came" : `${d.hosts.join(", ")} did not come to the step ${d.step}`} within ${seconds(d.limitMs)}.`,
    hint: () =>
      "`holdstill cluster hosts` shows which hosts are there. Check that `holdstill serve` runs on each, and its log.",
    exit: exit.aborted,
  },
  E_CLUSTER_ABORTED: {
    message: (d) => `The set was given up: ${d.reason}${d.reason.endsWith(".") ? "" : "."}`,
    hint: () => "Fix the cause, and repeat the command. Everything was undone on this host.",
    exit: exit.aborted,
  },
  E_CLUSTER_REFUSED: { message: (d) => d.problem, hint: (d) => d.hint, exit: exit.usage },
  E_CLUSTER_DOUBT: {
    message: (d) => `This host has voted for set ${d.set}, and the verdict is not known.`,
    hint: (d) =>
      `Nothing is held or frozen; the snapshots stay. When etcd can be reached, \`holdstill recover\` reads ${d.key} and keeps or undoes the set.`,
    exit: exit.residue,
  },

  E_STATE_DIR: {
    message: (d) => `The state directory ${d.path} cannot be used: ${d.problem}.`,
    hint: () =>
      "Set stateDir in the config, or HOLDSTILL_STATE_DIR, to a directory with free space that only you can write to.",
    exit: exit.usage,
  },
  E_SET_UNKNOWN: {
    message: (d) => `Unknown snapshot set \`${d.set}\`.${maybe(d.nearest)}`,
    hint: () => "`holdstill list` shows the sets.",
    exit: exit.usage,
  },
  E_SET_BUSY: {
    message: (d) => `Another process is working on set ${d.set}.`,
    hint: () => "Run the command again after that process has finished.",
    exit: exit.refused,
  },
  E_SET_AMBIGUOUS: {
    message: (d) => `\`${d.set}\` matches ${d.matches.length} snapshot sets: ${d.matches.join(", ")}.`,
    hint: () => "Specify the full id.",
    exit: exit.usage,
  },
  E_SET_FOREIGN: {
    message: (d) => `\`${d.set}\` matches no set of yours. It matches set ${d.id}, which user ${d.owner} took.`,
    hint: (d) => `To use that set, specify its full id: ${d.id}.`,
    exit: exit.usage,
  },
  E_CLOCK: {
    message: (d) =>
      `The sets cannot be judged by their times: ${d.sets
        .slice(0, 3)
        .map(({ id, problem }) => `${problem} of set ${id}`)
        .join("; ")}${d.sets.length > 3 ? `; and ${d.sets.length - 3} more` : ""}.`,
    hint: () =>
      "Check the clock. Delete each set whose time is wrong, or use only --keep-last. If all times are right, use --trust-clock.",
    exit: exit.refused,
  },
  E_SET_EXPOSED: {
    message: (d) => `Set ${d.set} is exposed, and a process may be reading it.`,
    hint: (d) => `Run \`holdstill unexpose ${d.set}\` first.`,
    exit: exit.refused,
  },
  E_COMMAND_LEFT: {
    message: (d) =>
      `${d.command} has ended, and left ${d.left.map(({ pid, program }) => `${program} (process ${pid})`).join(", ")}.`,
    hint: () =>
      "If one of them reads the snapshots, the backup is not complete: let the command wait for it. Otherwise start it before the run.",
    exit: exit.done,
  },
  E_SPACE_LOW: {
    message: (d) =>
      `The space of snapshot ${d.snapshot} of set ${d.set}, ${d.where}, is ${Math.floor(d.percent)} % full.`,
    hint: () => "The snapshot is lost when the space is full. Extend the space, or delete the set before that.",
    exit: exit.done,
  },
  E_SNAPSHOT_CREATING: {
    message: (d) => `The storage has not finished snapshot ${d.snapshot} of set ${d.set}.`,
    hint: () => "Try again later. `holdstill list --usage` shows the state.",
    exit: exit.refused,
  },
  E_NO_DIFF: {
    message: (d) => `Provider \`${d.provider}\` cannot list the changed blocks of ${d.volume}.`,
    hint: (d) =>
      `Read all of it: holdstill expose ${d.set}. \`holdstill providers --volumes\` shows \`changed blocks\` where a provider lists them.`,
    exit: exit.refused,
  },
  E_SET_EXISTS: {
    message: (d) => `Set ${d.set} is in the catalog of this host already.`,
    hint: (d) => `Use it: holdstill show ${d.set}. To import it again, delete it first: holdstill delete ${d.set}`,
    exit: exit.refused,
  },
  E_NOT_EXPORTABLE: {
    message: (d) => `Set ${d.set} cannot be exported: ${d.volume} ${d.reason}.`,
    hint: () => "Export a set without it. What is on it can be copied while the set is exposed.",
    exit: exit.refused,
  },
  E_EXPORT_FAILED: {
    message: (d) => `Set ${d.set} could not be exported: ${d.reason}.`,
    hint: () => "What was written is not a whole export, and cannot be imported. Fix the cause, and export it again.",
    exit: exit.aborted,
  },
  E_EXPORT_DAMAGED: {
    message: (d) => `The export ${d.file} is damaged, or not whole: ${d.reason}.`,
    hint: () => "Nothing was imported. Copy the file again, or export the set again.",
    exit: exit.refused,
  },
  E_NO_RECEIVER: {
    message: (d) =>
      `No provider of the config can take the contents of set ${d.set}. Asked: ${d.asked.join(", ") || "none"}.`,
    hint: () => "Add one to the config that can: `holdstill providers --volumes` shows it as `import`.",
    exit: exit.refused,
  },
  E_SNAPSHOT_LOST: {
    message: (d) => `Snapshot ${d.snapshot} of set ${d.set} can no longer be read: ${d.reason}.`,
    hint: (d) => `Run \`holdstill delete ${d.set}\` to remove the set and what remains of it.`,
    exit: exit.refused,
  },
  E_RESTORE: {
    message: (d) => `${d.path} was not restored: ${d.reason}.`,
    hint: (d) => d.remedy,
    exit: exit.refused,
  },
  E_SET_RETAINED: {
    message: (d) => `Set ${d.set} is retained until ${d.until}.`,
    hint: (d) =>
      `To delete it earlier, end the retention with \`holdstill retain ${d.set} --until now --yes\`. The audit log records this.`,
    exit: exit.refused,
  },
  E_LEASE_FD: {
    message: (d) => `File descriptor ${d.fd} cannot be used as a lease: ${d.problem}.`,
    hint: () =>
      "Open a regular file, as in `exec 9>/run/backup.lease`, and pass on its descriptor. To tie a set to a pipe, use `holdstill create --lease-stdin`.",
    exit: exit.usage,
  },
  E_RECORD_DAMAGED: {
    message: (d) => `The record ${d.file} is damaged.`,
    hint: () =>
      "The set was left unchanged. Inspect the file. `holdstill providers` shows which snapshots still exist.",
    exit: exit.usage,
  },
  E_JOURNAL_DAMAGED: {
    message: (d) => `The journal ${d.file} is damaged: what transaction ${d.id} did is not known.`,
    hint: () =>
      "Volumes that it held are released. Check that no application is still frozen. `holdstill providers` shows which snapshots exist. Then move the file away.",
    exit: exit.residue,
  },
  E_TOO_NEW: {
    message: (d) => `A later version of holdstill wrote ${d.file}.`,
    hint: () => "Use that version. This one leaves the file, and what it is about, unchanged.",
    exit: exit.usage,
  },
  E_NEEDS_YES: {
    message: (d) => `This command requires confirmation. It would: ${d.will.join("; ")}.`,
    hint: () => "Run it again with --yes.",
    exit: exit.usage,
  },
  E_NATIVE_MISSING: {
    message: (d) => `The native library koffi cannot be loaded on ${d.platform}: ${d.reason}.`,
    hint: () =>
      "Reinstall holdstill on this machine with `npm ci`, without --omit=optional. A package for each platform has koffi's binary.",
    exit: exit.usage,
  },
  E_COMMAND_MISSING: {
    message: (d) => `The program \`${d.command}\` was not found.`,
    hint: () => "Install it, or specify its full path. Nothing was started.",
    exit: exit.usage,
  },
  E_PATH_UNSAFE: {
    message: (d) => `${d.path} is not used because ${d.reason}.`,
    hint: (d) => d.remedy,
    exit: exit.refused,
  },
  E_PATH_FAILED: {
    message: (d) => `${d.action} ${d.path} failed: ${d.reason} (${d.errno}).`,
    hint: (d) => `To see the cause, run: ${d.shows}`,
    exit: exit.aborted,
  },
  E_MIRROR: {
    message: (d) => `The snapshots could not be mounted: ${d.reason}.`,
    hint: () =>
      "Mounting requires root, unshare(1), and mount(8). Without --in-place or --at an ordinary user needs no mounts.",
    exit: exit.aborted,
  },
  E_MIRROR_BUSY: {
    message: (d) => `The snapshots below ${d.at} could not be unmounted: ${d.reason}.`,
    hint: (d) => `To list the processes that use them, run: fuser -vm ${d.at}`,
    exit: exit.aborted,
  },

  E_REQUEST: { message: (d) => d.problem, hint: (d) => d.hint, exit: exit.usage },
  E_FORBIDDEN: {
    message: (d) => `User ${d.uid} may not ${d.what}.`,
    hint: (d) => `Required right: ${d.right}. The config of the service grants rights in service.rights.`,
    exit: exit.refused,
  },
  E_OPERATION_UNKNOWN: {
    message: (d) => `Unknown operation \`${d.operation}\`. Finished operations are kept only for a limited time.`,
    hint: () => "`holdstill list` shows the sets, and `holdstill history` shows how past transactions ended.",
    exit: exit.usage,
  },
  E_KEY_REUSED: {
    message: (d) =>
      `The idempotency key \`${d.key}\` belongs to operation ${d.operation}, which was a different request.`,
    hint: () => "Use a new key for each request. Reuse a key only to send the same request again.",
    exit: exit.usage,
  },
  E_UNAVAILABLE: {
    message: (d) => `The service accepts no requests at the moment: ${d.reason}.`,
    hint: () => "Nothing was started. Try again in a moment.",
    exit: exit.refused,
  },
  E_SERVICE_RUNNING: {
    message: (d) => `A service is already running: pid ${d.pid}, at ${d.socket}.`,
    hint: () => "Use that service, or stop it first. Two services need two sockets and two state directories.",
    exit: exit.refused,
  },
  E_SERVICE_DIED: {
    message: (d) => `The service died during operation ${d.operation}. What it had begun was undone.`,
    hint: () => "No set was created. Send the request again.",
    exit: exit.aborted,
  },
  E_SERVICE_LOST: {
    message: (d) => `The connection to the service at ${d.socket} failed: ${d.reason}.`,
    hint: () => "Check that the service is running. `holdstill history` then shows how the transaction ended.",
    exit: exit.aborted,
  },
  E_SOCKET: {
    message: (d) => `The service cannot listen at ${d.path}: ${d.problem}.`,
    hint: (d) => d.remedy,
    exit: exit.usage,
  },
};
