import { type ParsedArguments, parseArguments, requestedForm } from "./parse/arguments.js";
import type { OpenOptions } from "../engine/types.js";
import type { CommandCall, Facades, Needs } from "./parse/command.js";
import { inWords } from "../base/display/in-words.js";
import { commandsInGroup, type MatchedCommand, matchCommand } from "./parse/match-command.js";
import { UsageError } from "./parse/usage-error.js";
import { commandHelp, generalHelp } from "./render/help.js";
import { commandTable } from "./table.js";
import { exitProcess, prepareExit } from "./terminal/exit.js";
import { print, stdoutStyle } from "./terminal/output.js";

/** Runs one command line to its end, and sets the exit code. Called once, by main.ts. */
export async function runCommandLine(given: readonly string[]): Promise<void> {
  const args = given[0] === "help" ? [...given.slice(1), "--help"] : given;
  await exitProcess(await dispatch(args).catch((error: unknown) => report(error, args)));
}

async function dispatch(args: readonly string[]): Promise<number> {
  const matched = matchCommand(args);
  if (matched.type !== "command") {
    if (!matched.rest.some((arg) => arg === "--help" || arg === "-h")) throw incomplete(matched);
    print(generalHelp(stdoutStyle(), matched.type === "group" ? commandsInGroup(matched.group) : commandTable));
    return 0;
  }
  const { entry, rest } = matched;
  const command = await entry.load();
  const parsed = parseArguments(rest, entry.name, command);
  if (parsed.help) {
    print(commandHelp(entry, command, stdoutStyle()));
    return 0;
  }
  return command.run(callOf(entry.name, parsed));
}

async function report(error: unknown, args: readonly string[]): Promise<number> {
  const { reportError } = await import("./terminal/report-error.js");
  return reportError(error, requestedForm(args), args.includes("--verbose") || args.includes("-v"));
}

function callOf(name: string, parsed: ParsedArguments): CommandCall {
  const { config, verbose } = parsed;
  const open: CommandCall["open"] = async (needs, logged = verbose) => {
    if (needs !== "catalog") await prepareExit();
    return openers[needs]({
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
      const { connectEngine, connectWithoutConfig } = await import("../service/client/connect.js");
      try {
        return await connectEngine(await open(needs));
      } catch (error) {
        const service = config === undefined ? await connectWithoutConfig(error) : null;
        if (service === null) throw error;
        return service;
      }
    },
  };
}

/** Each command loads the facade that it needs, and no more. */
const openers: { readonly [N in Needs]: (options: OpenOptions) => Promise<Facades[N]> } = {
  catalog: async (options) => (await import("../engine/catalog-engine.js")).openCatalog(options),
  plan: async (options) => (await import("../engine/planning-engine.js")).openPlanning(options),
  create: async (options) => (await import("../engine/creating-engine.js")).openCreating(options),
  workers: async (options) => (await import("../engine/engine.js")).openEngine(options),
};

function incomplete(matched: Exclude<MatchedCommand, { type: "command" }>): UsageError {
  const hint = "`holdstill --help` lists the commands.";
  if (matched.type === "none") return new UsageError("No command was given.", hint);
  const names = commandsInGroup(matched.group).map(({ name }) => `\`${name}\``);
  return new UsageError(`\`${matched.group}\` is not a whole command. Write ${inWords(names)}.`, hint);
}
