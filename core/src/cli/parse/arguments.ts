import { parseArgs, type ParseArgsConfig } from "node:util";
import { type CommandCall, type Command, common, type CommandEntry, type Form, type Options } from "./command.js";
import { UsageError } from "./usage-error.js";
import { commandTable } from "../table.js";

/** Which command is meant, and the arguments that are left for it. group: the first word of commands with two. */
export type MatchedCommand =
  | { is: "nothing"; rest: string[] }
  | { is: "group"; group: string; rest: string[] }
  | { is: "command"; entry: CommandEntry; rest: string[] };

/** Finds the command's words among the arguments; the options that all commands know may stand before it. */
export function findEntry(args: readonly string[]): MatchedCommand {
  const words = tokensOf(args, common).flatMap((token) => (token.kind === "positional" ? [token] : []));
  const [first, second] = words;
  if (first === undefined) return { is: "nothing", rest: [...args] };
  const without = (...used: readonly { index: number }[]): string[] =>
    args.filter((_, index) => used.every((token) => token.index !== index));
  const double = second === undefined ? undefined : named(`${first.value} ${second.value}`);
  if (double !== undefined && second !== undefined)
    return { is: "command", entry: double, rest: without(first, second) };
  const single = named(first.value);
  if (single !== undefined) return { is: "command", entry: single, rest: without(first) };
  const group = inGroup(first.value).map(({ name }) => name);
  if (group.length === 0) throw unknown(first.value, firstWords);
  if (second !== undefined) throw unknown(`${first.value} ${second.value}`, group);
  return { is: "group", group: first.value, rest: without(first) };
}

export const inGroup = (group: string): CommandEntry[] =>
  commandTable.filter(({ name }) => name.startsWith(`${group} `));

export type ParsedArguments = Pick<CommandCall, "values" | "operands" | "trailing" | "form" | "quiet" | "verbose"> & {
  help: boolean;
  config?: string;
};

/** Reads a command's arguments. @throws Misuse on anything that the command does not know. */
export function parse(args: readonly string[], name: string, command: Command): ParsedArguments {
  const options: Options = { ...common, ...command.options };
  const values: Record<string, boolean | string | string[] | undefined> = {};
  for (const [option, { type }] of Object.entries(options))
    values[option] = type === "flag" ? false : type === "list" ? [] : undefined;
  const operands: string[] = [];
  const trailing: string[] = [];
  let positionals = operands;
  let form: Form = "text";
  for (const token of tokensOf(args, options)) {
    if (token.kind === "option-terminator" && command.trailing !== undefined) positionals = trailing;
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (option === undefined) throw unknownOption(token.rawName, name, options);
    if (token.name === "json") form = formOf(token.value, name, command);
    else if (option.type === "flag") values[token.name] = flag(token);
    else if (option.type === "text") values[token.name] = text(token);
    else (values[token.name] as string[]).push(text(token));
  }
  const { help, quiet, verbose, config } = values;
  const parsed = { help: help === true, quiet: quiet === true, verbose: verbose === true };
  if (!parsed.help) count({ operands, trailing }, name, command);
  return {
    ...parsed,
    ...(typeof config === "string" ? { config } : {}),
    form,
    operands,
    trailing,
    values: values as CommandCall["values"],
  };
}

/** The form of an error's report must be known even where the arguments could not be read. */
export function formAskedBy(args: readonly string[]): Form {
  const end = args.indexOf("--");
  const read = end === -1 ? args : args.slice(0, end);
  if (read.includes("--json=stream")) return "stream";
  return read.some((arg) => arg === "--json" || arg.startsWith("--json=")) ? "json" : "text";
}

type Token = NonNullable<ReturnType<typeof parseArgs<ParseArgsConfig & { tokens: true }>>["tokens"]>[number];

/** Not strict: what is wrong is said in our own words, with the nearest name. */
function tokensOf(args: readonly string[], options: Options): Token[] {
  const known: NonNullable<ParseArgsConfig["options"]> = {};
  for (const [name, { type, short }] of Object.entries(options))
    known[name] = { type: type === "flag" ? "boolean" : "string", ...(short === undefined ? {} : { short }) };
  return parseArgs({ args: [...args], options: known, strict: false, allowPositionals: true, tokens: true }).tokens;
}

type OptionToken = Extract<Token, { kind: "option" }>;

function formOf(value: string | undefined, name: string, { streams }: Command): Form {
  if (value === undefined) return "json";
  if (value === "stream" && streams === true) return "stream";
  const hint = streams === true ? "Write --json or --json=stream." : "Write --json.";
  throw new UsageError(`\`${name}\` does not know --json=${value}.`, hint);
}

function flag({ rawName, value }: OptionToken): true {
  if (value === undefined) return true;
  throw new UsageError(`${rawName} takes no value, and was given \`${value}\`.`, `Write ${rawName} alone.`);
}

function text({ rawName, value, inlineValue }: OptionToken): string {
  const isMissing = value === undefined || value === "" || (!inlineValue && /^-./.test(value));
  if (!isMissing) return value;
  throw new UsageError(`${rawName} needs a value.`, `Write ${rawName}=VALUE.`);
}

function count(
  { operands, trailing }: Pick<CommandCall, "operands" | "trailing">,
  name: string,
  { operands: wanted, trailing: program }: Command,
): void {
  const { min, max, name: what } = wanted;
  const hint = `\`holdstill ${name} --help\` shows how it is called.`;
  if (operands.length < min) throw new UsageError(`\`${name}\` needs ${max > 1 ? "at least one" : "a"} ${what}.`, hint);
  if (operands.length > max)
    throw new UsageError(`\`${operands[max]}\` is one argument too many for \`${name}\`.`, hint);
  if (program !== undefined && trailing.length === 0)
    throw new UsageError(`\`${name}\` needs a ${program} after \`--\`.`, hint);
}

const named = (name: string): CommandEntry | undefined => commandTable.find((entry) => entry.name === name);
const firstWords = commandTable.map(({ name }) => name.split(" ", 1)[0] ?? name);

function unknown(word: string, known: readonly string[]): UsageError {
  return new UsageError(`There is no command \`${word}\`.`, "`holdstill --help` lists the commands.", { word, known });
}

function unknownOption(rawName: string, name: string, options: Options): UsageError {
  const known = Object.keys(options).map((option) => `--${option}`);
  const hint = `\`holdstill ${name} --help\` lists the options.`;
  return new UsageError(`\`${name}\` does not know the option ${rawName}.`, hint, { word: rawName, known });
}
