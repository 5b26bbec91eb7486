import { commandTable } from "../table.js";
import { common, type CommandEntry } from "./command.js";
import { tokensOf } from "./tokens.js";
import { UsageError } from "./usage-error.js";

/** The command that is meant, and the arguments that are left for it. group: the first word of commands with two. */
export type MatchedCommand =
  | { type: "none"; rest: string[] }
  | { type: "group"; group: string; rest: string[] }
  | { type: "command"; entry: CommandEntry; rest: string[] };

/** Finds the command's words among the arguments; the options of every command may precede it. @throws UsageError */
export function matchCommand(args: readonly string[]): MatchedCommand {
  const words = tokensOf(args, common).flatMap((token) => (token.kind === "positional" ? [token] : []));
  const [first, second] = words;
  if (first === undefined) return { type: "none", rest: [...args] };
  const without = (...used: readonly { index: number }[]): string[] =>
    args.filter((_, index) => used.every((token) => token.index !== index));
  const double = second === undefined ? undefined : entryOf(`${first.value} ${second.value}`);
  if (double !== undefined && second !== undefined)
    return { type: "command", entry: double, rest: without(first, second) };
  const single = entryOf(first.value);
  if (single !== undefined) return { type: "command", entry: single, rest: without(first) };
  const group = commandsInGroup(first.value).map(({ name }) => name);
  if (group.length === 0) throw unknown(first.value, firstWords);
  if (second !== undefined) throw unknown(`${first.value} ${second.value}`, group);
  return { type: "group", group: first.value, rest: without(first) };
}

export const commandsInGroup = (group: string): CommandEntry[] =>
  commandTable.filter(({ name }) => name.startsWith(`${group} `));

const entryOf = (name: string): CommandEntry | undefined => commandTable.find((entry) => entry.name === name);
const firstWords = commandTable.map(({ name }) => name.split(" ", 1)[0] ?? name);

function unknown(word: string, known: readonly string[]): UsageError {
  return new UsageError(`Unknown command \`${word}\`.`, "`holdstill --help` lists the commands.", { word, known });
}
