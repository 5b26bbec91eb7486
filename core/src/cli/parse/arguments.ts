import { checkUsage } from "./check-usage.js";
import { type CommandCall, type Command, common, type Form, type Option, type Options } from "./command.js";
import { inWords } from "../../base/display/in-words.js";
import { type OptionToken, tokensOf } from "./tokens.js";
import { UsageError } from "./usage-error.js";

export type ParsedArguments = Pick<CommandCall, "values" | "operands" | "trailing" | "form" | "quiet" | "verbose"> & {
  help: boolean;
  config?: string;
};

/** Reads a command's arguments. @throws UsageError on anything that its line of the table does not have. */
export function parseArguments(args: readonly string[], name: string, command: Command): ParsedArguments {
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
    else if (option.type === "text") values[token.name] = text(token, option);
    else (values[token.name] as string[]).push(text(token, option));
  }
  const { help, quiet, verbose, config } = values;
  const parsed = { help: help === true, quiet: quiet === true, verbose: verbose === true };
  if (!parsed.help) checkUsage(name, command, { operands, trailing, values });
  return {
    ...parsed,
    ...(typeof config === "string" ? { config } : {}),
    form,
    operands,
    trailing,
    values: values as CommandCall["values"],
  };
}

/** The form of an error's report must be known even if the arguments could not be read. */
export function requestedForm(args: readonly string[]): Form {
  const end = args.indexOf("--");
  const read = end === -1 ? args : args.slice(0, end);
  if (read.includes("--json=stream")) return "stream";
  return read.some((arg) => arg === "--json" || arg.startsWith("--json=")) ? "json" : "text";
}

function formOf(value: string | undefined, name: string, { streams }: Command): Form {
  if (value === undefined) return "json";
  if (value === "stream" && streams === true) return "stream";
  const hint = streams === true ? "Write --json or --json=stream." : "Write --json.";
  throw new UsageError(`\`${name}\` does not support --json=${value}.`, hint);
}

function flag({ rawName, value }: OptionToken): true {
  if (value === undefined) return true;
  throw new UsageError(`${rawName} does not take the value \`${value}\`.`, `Write ${rawName} alone.`);
}

function text({ rawName, value, inlineValue }: OptionToken, { choices }: Option): string {
  const isMissing = value === undefined || value === "" || (!inlineValue && /^-./.test(value));
  if (isMissing) throw new UsageError(`${rawName} requires a value.`, `Write ${rawName}=VALUE.`);
  if (choices === undefined || choices.includes(value)) return value;
  const hint = `Choose ${inWords(choices)}.`;
  throw new UsageError(`${rawName} does not support \`${value}\`.`, hint, { word: value, known: choices });
}

function unknownOption(rawName: string, name: string, options: Options): UsageError {
  const known = Object.keys(options).map((option) => `--${option}`);
  const hint = `\`holdstill ${name} --help\` lists the options.`;
  return new UsageError(`Unknown option ${rawName} of \`${name}\`.`, hint, { word: rawName, known });
}
