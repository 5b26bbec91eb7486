import assert from "node:assert/strict";
import { matchCommand } from "#core/cli/parse/match-command.js";
import { type SchemaName, validate } from "#core/base/schema/validate.js";

/** What a command has printed with --json. Throws unless it is one document, as the command's schema defines it. */
export function documentIn(stdout: string, args: readonly string[]): unknown {
  const document: unknown = JSON.parse(stdout);
  const checked = validate(isError(document) ? errorSchema : schemaOf(args), document, args.join(" "));
  assert.ok(checked.ok, `no document of \`${args.join(" ")}\`: ${JSON.stringify(checked)}`);
  return document;
}

const errorSchema: SchemaName = "command-line#/$defs/error";

/** Its schema has the command's name. */
function schemaOf(args: readonly string[]): SchemaName {
  const matched = matchCommand(args);
  assert.ok(matched.type === "command", `\`${args.join(" ")}\` is not a command`);
  return `command-line#/$defs/${matched.entry.name.replaceAll(" ", "-")}` as SchemaName;
}

/** The document of a command that failed before it did anything; those of create and run have more beside it. */
function isError(document: unknown): boolean {
  return typeof document === "object" && document !== null && Object.keys(document).join() === "error";
}
