import { findEntry, formAskedBy, inGroup, type ParsedArguments, parse } from "./parse/arguments.js";
import type { CommandCall } from "./parse/command.js";
import { commandHelp, generalHelp } from "./render/help.js";
import { exitProcess, prepareExit } from "./terminal/exit.js";
import { UsageError } from "./parse/usage-error.js";
import { commandTable } from "./table.js";
import { stdoutStyle, print } from "./terminal/output.js";

/** Runs one command line to its end, and sets the exit code. */
export async function runCommandLine(args: readonly string[]): Promise<void> {
  await exitProcess(await ending(args));
}

async function ending(args: readonly string[]): Promise<number> {
  try {
    return await dispatch(args[0] === "help" ? [...args.slice(1), "--help"] : args);
  } catch (error) {
    const { reportError: report } = await import("./terminal/report-error.js");
    return report(error, formAskedBy(args), args.includes("--verbose") || args.includes("-v"));
  }
}

async function dispatch(args: readonly string[]): Promise<number> {
  const meant = findEntry(args);
  if (meant.is !== "command") {
    const entries = meant.is === "group" ? inGroup(meant.group) : undefined;
    if (meant.rest.includes("--version")) return printVersion();
    if (!meant.rest.some((arg) => arg === "--help" || arg === "-h")) throw incomplete(meant);
    print(generalHelp(stdoutStyle(), entries));
    return 0;
  }
  const { entry, rest } = meant;
  const command = await entry.load();
  const parsed = parse(rest, entry.name, command);
  if (parsed.help) {
    print(commandHelp(entry, command, stdoutStyle()));
    return 0;
  }
  return command.run(callOf(entry.name, parsed));
}

function callOf(name: string, parsed: ParsedArguments): CommandCall {
  const { config, verbose } = parsed;
  const open: CommandCall["open"] = async (needs, logged = verbose) => {
    if (needs === "workers") await prepareExit();
    const { open: openRequester } = await import("../engine/open.js");
    return openRequester({
      ...(config === undefined ? {} : { config }),
      ...(logged ? { log: "stderr" as const } : {}),
    });
  };
  return {
    ...parsed,
    name,
    table: commandTable,
    open,
    async connect(needs) {
      const [requester, { connectEngine: doorOf }] = await Promise.all([
        open(needs),
        import("../service/client/connect.js"),
      ]);
      return doorOf(requester);
    },
  };
}

async function printVersion(): Promise<number> {
  const { ownVersion } = await import("../installation.js");
  print([`holdstill ${ownVersion()}`]);
  return 0;
}

function incomplete(meant: { is: "nothing" } | { is: "group"; group: string }): UsageError {
  const hint = "`holdstill --help` lists the commands.";
  if (meant.is === "nothing") return new UsageError("No command was given.", hint);
  const names = inGroup(meant.group).map(({ name }) => `\`${name}\``);
  return new UsageError(`\`${meant.group}\` is not a whole command: write ${names.join(" or ")}.`, hint);
}
