import { findCommand, formAskedBy, inGroup, type Parsed, parse } from "./parse/arguments.js";
import type { Call } from "./parse/command.js";
import { commandHelp, generalHelp } from "./render/help.js";
import { leave, prepareToLeave } from "./terminal/exit.js";
import { Misuse } from "./parse/usage-error.js";
import { table } from "./table.js";
import { outLook, print } from "./terminal/output.js";

/** Runs one command line to its end, and sets the exit code. */
export async function run(args: readonly string[]): Promise<void> {
  await leave(await ending(args));
}

async function ending(args: readonly string[]): Promise<number> {
  try {
    return await dispatch(args[0] === "help" ? [...args.slice(1), "--help"] : args);
  } catch (error) {
    const { report } = await import("./terminal/report-error.js");
    return report(error, formAskedBy(args), args.includes("--verbose") || args.includes("-v"));
  }
}

async function dispatch(args: readonly string[]): Promise<number> {
  const meant = findCommand(args);
  if (meant.is !== "command") {
    const entries = meant.is === "group" ? inGroup(meant.group) : undefined;
    if (meant.rest.includes("--version")) return printVersion();
    if (!meant.rest.some((arg) => arg === "--help" || arg === "-h")) throw incomplete(meant);
    print(generalHelp(outLook(), entries));
    return 0;
  }
  const { entry, rest } = meant;
  const command = await entry.load();
  const parsed = parse(rest, entry.name, command);
  if (parsed.help) {
    print(commandHelp(entry, command, outLook()));
    return 0;
  }
  return command.run(callOf(entry.name, parsed));
}

function callOf(name: string, parsed: Parsed): Call {
  const { config, verbose } = parsed;
  const open: Call["open"] = async (needs, logged = verbose) => {
    if (needs === "workers") await prepareToLeave();
    const { open: openRequester } = await import("../engine/open.js");
    return openRequester({
      ...(config === undefined ? {} : { config }),
      ...(logged ? { log: "stderr" as const } : {}),
    });
  };
  return {
    ...parsed,
    name,
    table,
    open,
    async reach(needs) {
      const [requester, { doorOf }] = await Promise.all([open(needs), import("../service/client/connect.js")]);
      return doorOf(requester);
    },
  };
}

async function printVersion(): Promise<number> {
  const { ownVersion } = await import("../installation.js");
  print([`holdstill ${ownVersion()}`]);
  return 0;
}

function incomplete(meant: { is: "nothing" } | { is: "group"; group: string }): Misuse {
  const hint = "`holdstill --help` lists the commands.";
  if (meant.is === "nothing") return new Misuse("No command was given.", hint);
  const names = inGroup(meant.group).map(({ name }) => `\`${name}\``);
  return new Misuse(`\`${meant.group}\` is not a whole command: write ${names.join(" or ")}.`, hint);
}
