import { command, common, noOperands, type Options } from "../parse/command.js";
import { ownVersion } from "../../installation.js";
import { productSummary } from "../render/help.js";
import { exitCodes } from "../render/exit-codes.js";
import { noBreak, optionUsage, usageOf } from "../render/usage.js";
import { print, printDocument, textOf } from "../terminal/output.js";

export const manual = command({
  about: "Prints the manual page in the format of man(1). It comes from the same table as the help.",
  operands: noOperands,
  options: {},
  examples: [{ line: "holdstill manual", does: "save it as /usr/local/share/man/man8/holdstill.8" }],
  async run({ form, table }) {
    const all = await Promise.all(table.map(async (entry) => ({ ...entry, command: await entry.load() })));
    const lines = [
      `.TH HOLDSTILL 8 "" "holdstill ${ownVersion()}"`,
      ".SH NAME",
      roff(`holdstill - ${productSummary}`),
      ".SH SYNOPSIS",
      ".B holdstill",
      roff("COMMAND [ARGUMENT]… [OPTION]…"),
      ".SH COMMANDS",
      ...all.flatMap(({ name, command: one }) => [
        `.SS ${roff(usageOf(name, one).replaceAll(noBreak, " "))}`,
        ...one.about.split("\n\n").flatMap((paragraph, at) => [...(at === 0 ? [] : [".PP"]), roff(paragraph)]),
        ...optionLines(one.options),
        ...one.examples.flatMap(({ line, does }) => [".TP", `.B ${roff(line)}`, roff(does)]),
      ]),
      ".SH OPTIONS OF EVERY COMMAND",
      ...optionLines(common),
      ".SH EXIT STATUS",
      ...listLines(exitCodes.map(({ code, long }) => [code, long])),
      ".PP",
      roff(
        "run exits with the exit code of its COMMAND, if COMMAND failed. With --json, `command` has it, and `ended` has that of the set.",
      ),
      ".SH ENVIRONMENT",
      ...listLines(environment),
      ".SH FILES",
      ...listLines(files),
      ".SH SEE ALSO",
      roff("fsfreeze(8), dmsetup(8), lvm(8), systemd.timer(5), systemd.time(7), restic(1), borg(1)"),
    ];
    if (form === "json") printDocument("manual", { text: textOf(lines) });
    else print(lines);
    return 0;
  },
});

const environment = [
  ["HOLDSTILL_CONFIG", "the config file, if --config does not name one; an empty value: no config"],
  ["HOLDSTILL_STATE_DIR", "the state directory; it replaces stateDir of the config"],
  ["HOLDSTILL_EXPOSE_DIR", "the folder for exposures; it replaces exposeDir of the config"],
  ["HOLDSTILL_PLUGIN_PATH", "folders with plugins, separated by colons, searched before those of the config"],
  ["HOLDSTILL_SOCKET", "the socket of the service; it replaces service.socket of the config"],
  ["XDG_CONFIG_HOME, XDG_STATE_HOME", "where the config and the state of an ordinary user are"],
  ["NO_COLOR", "if it is set, the output has no colours"],
  ["HOLDSTILL_ROOT, HOLDSTILL_DEVICES, HOLDSTILL_SET, HOLDSTILL_SET_JSON", "set by run for its COMMAND"],
] as const;

const files = [
  ["/etc/holdstill/holdstill.yaml", "the config; the current folder and ~/.config/holdstill are searched first"],
  ["/etc/holdstill/holdstill.lock.json", "the digests of the plugins, written by plugins lock"],
  ["/etc/holdstill/NAME.env", "variables of the COMMAND of a run that schedule made"],
  ["/var/lib/holdstill", "records, journals, the history, the audit log, and the writers' files; mode 0700"],
  ["/run/holdstill", "exposed snapshots; root in it is what run shows to its COMMAND"],
  ["/run/holdstill.sock", "the service"],
  ["/usr/lib/holdstill/plugins", "where packages install plugins"],
] as const;

const listLines = (entries: readonly (readonly [string, string])[]): string[] =>
  entries.flatMap(([term, means]) => [".TP", `.B ${roff(term)}`, roff(means)]);

function optionLines(options: Options): string[] {
  return Object.entries(options).flatMap(([name, option]) => {
    const { short, about } = option;
    const long = optionUsage(name, option);
    return [".TP", `.B ${roff(short === undefined ? long : `-${short}, ${long}`)}`, roff(about)];
  });
}

/** groff_char(7): a hyphen that can be copied is \-, a backslash is \e; a line that begins with a dot is a request. */
function roff(text: string): string {
  return text
    .replaceAll("\\", String.raw`\e`)
    .replaceAll("-", String.raw`\-`)
    .replace(/^(?=[.'])/, String.raw`\&`)
    .replaceAll("…", "...")
    .replaceAll("→", "->");
}
