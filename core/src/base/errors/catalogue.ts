import type { Code, Details, FileChange, Who } from "./details.js";
import { exit, type ExitCode } from "./exit.js";

interface Entry<D> {
  message(details: D): string;
  /** The next step for whoever reads the message. */
  hint(details: D): string;
  exit: ExitCode;
}

const named = ({ role, instance, plugin, version }: Who): string => `${role} \`${instance}\` (${plugin} ${version})`;
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`;
const maybe = (name: string | undefined): string => (name === undefined ? "" : ` Did you mean \`${name}\`?`);

/** The first files by name, the rest as a number: an update changes hundreds. */
function changed(changes: readonly FileChange[]): string {
  if (changes.length === 0) return "the fingerprint in the lock file is not that of the files in it";
  const first = changes.slice(0, 3).map(({ file, change }) => `${file} was ${change}`);
  return [...first, ...(changes.length > 3 ? [`and ${changes.length - 3} more`] : [])].join(", ");
}

/** Every error that holdstill reports: one sentence, the next step, and what the command line ends with. */
export const catalogue: { readonly [C in Code]: Entry<Details[C]> } = {
  E_USAGE: { message: (d) => d.problem, hint: (d) => d.hint, exit: exit.usage },
  E_CONFIG_NOT_FOUND: {
    message: (d) => `There is no config file ${d.file}.`,
    hint: () => "Give an existing file with --config, or leave it out to search the usual places.",
    exit: exit.usage,
  },
  E_CONFIG_UNREADABLE: {
    message: (d) => `The config file ${d.file} cannot be read: ${d.reason}.`,
    hint: () => "Make the file readable for the user who runs holdstill.",
    exit: exit.usage,
  },
  E_CONFIG_UNTRUSTED: {
    message: (d) =>
      `The config file ${d.file} was found, but somebody else could change it: ${d.problems[0]?.problem}.`,
    hint: (d) =>
      `${d.problems.map(({ remedy: mend }) => mend).join("; ")}. Or name the file with --config if you trust it.`,
    exit: exit.usage,
  },
  E_CONFIG_INVALID: {
    message: (d) => `The config has ${count(d.findings.length, "fault")}.`,
    hint: () => "Mend each line that is named; nothing was started.",
    exit: exit.usage,
  },

  E_MANIFEST_INVALID: {
    message: (d) => `The manifest ${d.findings[0]?.file ?? ""} has ${count(d.findings.length, "fault")}.`,
    hint: () => "Mend plugin.json, or ask the plugin's vendor for a version that is valid.",
    exit: exit.usage,
  },
  E_PLUGIN_UNRESOLVED: {
    message: (d) => `No plugin fits \`use: ${d.use}\` (instance ${d.instance}).${maybe(d.nearest)}`,
    hint: (d) =>
      d.candidates.length === 0
        ? "If the instance has another name in the config now, call it so again with `as:`; else install the plugin into a folder that pluginPaths names. `holdstill plugins list` shows what was found."
        : "`holdstill plugins list` shows every candidate and why it was not taken.",
    exit: exit.usage,
  },
  E_PLUGIN_UNTRUSTED: {
    message: (d) => `The plugin in ${d.dir} is not loaded: somebody else could change it: ${d.problems[0]?.problem}.`,
    hint: (d) => d.problems.map((problem) => problem.remedy).join("; "),
    exit: exit.usage,
  },
  E_PLUGIN_LOCKED: {
    message: (d) =>
      d.expected === null
        ? `The lock file does not name ${d.name} ${d.version}.`
        : `The content of ${d.name} ${d.version} is not what the lock file pins: ${changed(d.changes)}.`,
    hint: () =>
      "If the change was intended, pin it with `holdstill plugins lock`; if not, install the plugin again from where you trust it.",
    exit: exit.usage,
  },
  E_PLUGIN_UNPINNED: {
    message: (d) =>
      d.file === null
        ? "There is no config file that a lock file could lie beside."
        : `There is no lock file ${d.file}: no plugin is pinned.`,
    hint: (d) =>
      d.file === null
        ? "Write a config (its plugins are what is pinned), or name one with --config."
        : "`holdstill plugins lock` writes it.",
    exit: exit.usage,
  },
  E_PLUGINS_REFUSED: {
    message: (d) => `${count(d.problems.length, "problem")} with the plugins.`,
    hint: (d) => d.problems.map(({ message, hint = "" }) => `${message} ${hint}`).join("\n"),
    exit: exit.usage,
  },

  E_PLUGIN_LOAD: {
    message: (d) => `${named(d.who)} could not be loaded: ${d.reason}.`,
    hint: () => "Check that the plugin is built and that its own dependencies are installed.",
    exit: exit.aborted,
  },
  E_PLUGIN_FAILED: {
    message: (d) => `${named(d.who)} failed in ${d.op}: ${d.reason}`,
    hint: (d) => d.pluginHint ?? "The plugin's own message says what was wrong; its log has more.",
    exit: exit.aborted,
  },
  E_PLUGIN_DIED: {
    message: (d) => `The worker of ${named(d.who)} ended during ${d.op}: ${d.reason}.`,
    hint: () => "This is a fault of the plugin. `isolation: process` in the config contains more of them.",
    exit: exit.aborted,
  },
  E_DEADLINE: {
    message: (d) => `${named(d.who)}, worker ${d.worker}, did not answer ${d.op} in ${seconds(d.limitMs)}.`,
    hint: () => "Look at why the application did not answer in time, or raise the limit in the config.",
    exit: exit.aborted,
  },
  E_CANCELLED: {
    message: (d) => `${d.op} of ${named(d.who)} was cancelled because the transaction aborts.`,
    hint: () => "Look at the error that made the transaction abort.",
    exit: exit.aborted,
  },
  E_ANSWER_INVALID: {
    message: (d) => `${named(d.who)} answered ${d.op} with ${count(d.findings.length, "fault")} in it.`,
    hint: () => "This is a fault of the plugin: report it to its vendor.",
    exit: exit.aborted,
  },
  E_ANSWER_UNCLONEABLE: {
    message: (d) => `${named(d.who)} answered ${d.op} with something that is not data: ${d.reason}.`,
    hint: () => "This is a fault of the plugin: answers are JSON values. Report it to its vendor.",
    exit: exit.aborted,
  },
  E_NOT_OFFERED: {
    message: (d) => `${named(d.who)} does not offer ${d.op}.`,
    hint: () => "Use a plugin that does, or do this step by hand.",
    exit: exit.refused,
  },
  E_EXEC_DENIED: {
    message: (d) => `${named(d.who)} asked to run \`${d.command}\`, which its manifest does not name.`,
    hint: (d) =>
      `Its manifest allows: ${d.allowed.join(", ") || "nothing"}. The plugin's author names it in \`requires.commands\`.`,
    exit: exit.aborted,
  },
  E_EXEC_MISSING: {
    message: (d) =>
      `${named(d.who)} needs \`${d.command}\`, which ${d.command.startsWith("/") ? "is not there" : "is not on PATH"}.`,
    hint: (d) =>
      d.command.startsWith("/")
        ? `Correct the option that names ${d.command}, or put the program there.`
        : `Install the package that contains ${d.command}.`,
    exit: exit.usage,
  },
  E_EXEC_UNTRUSTED: {
    message: (d) =>
      `${named(d.who)} may not run ${d.command}: somebody else could change it: ${d.problems[0]?.problem}.`,
    hint: (d) => d.problems.map(({ remedy: mend }) => mend).join("; "),
    exit: exit.usage,
  },

  E_TARGET_UNREADABLE: {
    message: (d) => `The target ${d.target} cannot be read: ${d.reason}.`,
    hint: () => "Name an existing path that the user who runs holdstill may read.",
    exit: exit.refused,
  },
  E_TARGET_UNKNOWN: {
    message: (d) => `No writer instance is called \`${d.target}\`.${maybe(d.nearest)}`,
    hint: (d) => (d.known.length === 0 ? "The config names no writers." : `Known writers: ${d.known.join(", ")}.`),
    exit: exit.usage,
  },
  E_NO_PROVIDER: {
    message: (d) => `No provider can capture ${d.paths.join(", ")} (volume ${d.volume}).`,
    hint: (d) => `Asked: ${d.asked.join("; ") || "none"}. Add a provider for this storage to the config.`,
    exit: exit.refused,
  },
  E_HOLD_REFUSED: {
    message: (d) => `${d.refusals[0]?.target} is not held: ${d.refusals.map(({ reason }) => reason).join("; ")}.`,
    hint: (d) => [...new Set(d.refusals.map(({ remedy: mend }) => mend))].join(" "),
    exit: exit.refused,
  },
  E_HOLD_BUSY: {
    message: (d) => `${d.point} is frozen or suspended by somebody else already.`,
    hint: () => "It was left as it is. See who froze it; `fsfreeze -u` or `dmsetup resume` ends it.",
    exit: exit.aborted,
  },
  E_HOLD_FAILED: {
    message: (d) => `The critical section failed at ${d.point}: ${d.reason}.`,
    hint: () => "Everything was released again. The reason is the kernel's; its log may have more.",
    exit: exit.aborted,
  },
  E_HOLD_LATE: {
    message: (d) => `${d.points.join(", ")} did not come to a halt in ${seconds(d.limitMs)}.`,
    hint: () =>
      "Everything else was released; what comes late is released at once. Look for a device below it that hangs.",
    exit: exit.aborted,
  },
  E_HOLD_LAPSED: {
    message: (d) => `${d.targets.join(", ")} was not held to the end: ${d.reason}.`,
    hint: () => "The snapshots are not of one instant and are not kept. Run the command again.",
    exit: exit.aborted,
  },
  E_KEEPER: {
    message: (d) => `The keeper, the process that holds volumes, failed: ${d.reason}.`,
    hint: () =>
      "See that Node can start processes, and that you are root. `holdstill recover` releases what a killed keeper may still hold.",
    exit: exit.aborted,
  },
  E_PLAN_INCONSISTENT: {
    message: (d) =>
      `Component ${d.component} of writer \`${d.writer}\` needs a ${d.tolerates} snapshot; provider \`${d.provider}\` makes a ${d.cut} one.`,
    hint: () => "Use a provider that can, or make the writer best-effort and accept a lower consistency.",
    exit: exit.refused,
  },
  E_PLAN_BELOW: {
    message: (d) => `You require consistency ${d.asked}; this plan can reach ${d.promised}: ${d.reason}`,
    hint: () => "Add a writer for the data, use another provider, or lower --require.",
    exit: exit.refused,
  },
  E_VOLUME_BUSY: {
    message: (d) =>
      `Volume ${d.volume} belongs to transaction ${d.owner.transaction} (pid ${d.owner.pid}, since ${d.owner.since}); waited ${seconds(d.waitedMs)}.`,
    hint: () => "Try again when that transaction has ended, or raise limits.queue.",
    exit: exit.refused,
  },
  E_FREEZE_LOST: {
    message: (d) => `The freeze of ${named(d.who)} was not in force to the end: ${d.reason}.`,
    hint: () => "The set was made, with a lower consistency; its record says which component is affected.",
    exit: exit.degraded,
  },
  E_REPAIR_FAILED: {
    message: (d) => `The snapshot of ${named(d.who)} could not be repaired: ${d.reason}.`,
    hint: () => "The set was made, with a lower consistency: the application will have to recover when it opens it.",
    exit: exit.degraded,
  },
  E_INTERRUPTED: {
    message: (d) => `Interrupted by ${d.signal}; the transaction was aborted.`,
    hint: () => "Nothing is frozen and nothing is left. Run the command again.",
    exit: exit.interrupted,
  },
  E_BUG: {
    message: (d) => `holdstill itself is at fault: ${d.message}`,
    hint: () => "Please report this with the output of the same command under --verbose.",
    exit: exit.bug,
  },
  E_RESIDUE: {
    message: (d) => `Transaction ${d.transaction} left something that could not be undone.`,
    hint: () => "Run `holdstill recover`; it lists what is left and tries again.",
    exit: exit.residue,
  },

  E_STATE_DIR: {
    message: (d) => `The state directory ${d.path} cannot be used: ${d.problem}.`,
    hint: () =>
      "Give a directory with room, that only you may write to: stateDir in the config, or HOLDSTILL_STATE_DIR.",
    exit: exit.usage,
  },
  E_SET_UNKNOWN: {
    message: (d) => `There is no snapshot set \`${d.set}\`.${maybe(d.nearest)}`,
    hint: () => "`holdstill list` shows the sets.",
    exit: exit.usage,
  },
  E_SET_BUSY: {
    message: (d) => `Another process works on set ${d.set}.`,
    hint: () => "Try again when it has ended.",
    exit: exit.refused,
  },
  E_SET_AMBIGUOUS: {
    message: (d) => `\`${d.set}\` names ${d.matches.length} snapshot sets: ${d.matches.join(", ")}.`,
    hint: () => "Give the whole id.",
    exit: exit.usage,
  },
  E_SET_EXPOSED: {
    message: (d) => `Set ${d.set} is exposed: somebody may be reading it.`,
    hint: (d) => `\`holdstill unexpose ${d.set}\` ends that.`,
    exit: exit.refused,
  },
  E_ROOM_FILLS: {
    message: (d) =>
      `The room of snapshot ${d.snapshot} of set ${d.set}, ${d.where}, is ${Math.floor(d.percent)} % full.`,
    hint: () => "When it is full the snapshot is lost: extend the room, or delete the set before that.",
    exit: exit.done,
  },
  E_SNAPSHOT_LOST: {
    message: (d) => `Snapshot ${d.snapshot} of set ${d.set} cannot be shown any more: ${d.reason}.`,
    hint: (d) => `\`holdstill delete ${d.set}\` removes the set, and what is left of it.`,
    exit: exit.refused,
  },
  E_RESTORE: {
    message: (d) => `${d.path} is not restored: ${d.reason}.`,
    hint: (d) => d.remedy,
    exit: exit.refused,
  },
  E_SET_HELD: {
    message: (d) => `Set ${d.set} is held until ${d.until}.`,
    hint: (d) =>
      `It is not deleted before. \`holdstill retain ${d.set} now --yes\` ends that, and leaves a line in the audit.`,
    exit: exit.refused,
  },
  E_LEASE_FD: {
    message: (d) => `File descriptor ${d.fd} cannot be what the set's life hangs on: ${d.problem}.`,
    hint: () =>
      "Open a file that stays where it is, as in `exec 9>/run/backup.lease`, and hand the descriptor down. To a pipe a set is tied by `holdstill hold`.",
    exit: exit.usage,
  },
  E_RECORD_DAMAGED: {
    message: (d) => `The record ${d.file} is damaged.`,
    hint: () => "The set is left alone. Look at the file; `holdstill recover` shows what the providers still have.",
    exit: exit.usage,
  },
  E_NEEDS_YES: {
    message: (d) => `This would: ${d.will.join("; ")}.`,
    hint: () => "Run it again with --yes.",
    exit: exit.usage,
  },
  E_COMMAND_MISSING: {
    message: (d) => `There is no program \`${d.command}\` to run.`,
    hint: () => "Install it, or give its whole path. Nothing was started.",
    exit: exit.usage,
  },
  E_MIRROR: {
    message: (d) => `The snapshots could not be mounted: ${d.reason}.`,
    hint: () =>
      "Mounting needs root, unshare(1) and mount(8). Without --in-place or --at an ordinary user needs no mounts.",
    exit: exit.aborted,
  },
  E_MIRROR_BUSY: {
    message: (d) => `The snapshots below ${d.at} could not be unmounted: ${d.reason}.`,
    hint: (d) => `See who uses them: fuser -vm ${d.at}`,
    exit: exit.aborted,
  },

  E_REQUEST: { message: (d) => d.problem, hint: (d) => d.hint, exit: exit.usage },
  E_FORBIDDEN: {
    message: (d) => `User ${d.uid} may not ${d.what}.`,
    hint: (d) => `It needs the right ${d.right}: service.rights in the config of the service.`,
    exit: exit.refused,
  },
  E_OPERATION_UNKNOWN: {
    message: (d) => `There is no operation \`${d.operation}\`, or it is too long ago.`,
    hint: () => "`holdstill list` shows the sets, `holdstill history` what became of transactions.",
    exit: exit.usage,
  },
  E_KEY_REUSED: {
    message: (d) =>
      `The idempotency key \`${d.key}\` belongs to operation ${d.operation}, which asked for something else.`,
    hint: () => "Use a new key for each request, and the same one only to send the same request again.",
    exit: exit.usage,
  },
  E_UNAVAILABLE: {
    message: (d) => `The service takes no more just now: ${d.reason}.`,
    hint: () => "Nothing was begun. Try again in a moment.",
    exit: exit.refused,
  },
  E_SERVICE_RUNNING: {
    message: (d) => `A service runs already: pid ${d.pid}, at ${d.socket}.`,
    hint: () => "Use that one, or end it first. Two services need two sockets and two state directories.",
    exit: exit.refused,
  },
  E_SERVICE_DIED: {
    message: (d) => `The service died while it was working on ${d.operation}; what had been begun was undone.`,
    hint: () => "There is no set. Ask for it again.",
    exit: exit.aborted,
  },
  E_SERVICE_LOST: {
    message: (d) => `The service at ${d.socket} did not answer as it should: ${d.reason}.`,
    hint: () => "See whether it still runs. When it is there again, `holdstill history` tells what became of it.",
    exit: exit.aborted,
  },
  E_SOCKET: {
    message: (d) => `The service cannot listen at ${d.path}: ${d.problem}.`,
    hint: (d) => d.remedy,
    exit: exit.usage,
  },
};
