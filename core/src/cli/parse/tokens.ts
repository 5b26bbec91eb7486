import { parseArgs, type ParseArgsConfig } from "node:util";
import type { Options } from "./command.js";

export type Token = NonNullable<ReturnType<typeof parseArgs<ParseArgsConfig & { tokens: true }>>["tokens"]>[number];
export type OptionToken = Extract<Token, { kind: "option" }>;

/** Not strict: the parser reports what is wrong in its own words, with the nearest name. */
export function tokensOf(args: readonly string[], options: Options): Token[] {
  const known: NonNullable<ParseArgsConfig["options"]> = {};
  for (const [name, { type, short }] of Object.entries(options))
    known[name] = { type: type === "flag" ? "boolean" : "string", ...(short === undefined ? {} : { short }) };
  return parseArgs({ args: [...args], options: known, strict: false, allowPositionals: true, tokens: true }).tokens;
}
