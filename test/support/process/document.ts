import assert from "node:assert/strict";
import { findEntry } from "#core/cli/parse/arguments.js";
import { type SchemaName, validate } from "#core/base/schema/validate.js";

/** What a command has printed with --json. Throws where it is not one document, or not as the command's schema says. */
export function documentIn(stdout: string, args: readonly string[]): unknown {
  const document: unknown = JSON.parse(stdout);
  const checked = validate(isError(document) ? errorSchema : schemaOf(args), document, args.join(" "));
  assert.ok(checked.ok, `no document of \`${args.join(" ")}\`: ${JSON.stringify(checked)}`);
  return document;
}

const errorSchema: SchemaName = "command-line#/$defs/error";

/** Its schema goes by the command's name. */
function schemaOf(args: readonly string[]): SchemaName {
  const meant = findEntry(args);
  assert.ok(meant.is === "command", `\`${args.join(" ")}\` is no command`);
  return `command-line#/$defs/${meant.entry.name.replaceAll(" ", "-")}` as SchemaName;
}

/** The document of a command that could do nothing; those of create and of run tell more beside it. */
function isError(document: unknown): boolean {
  return typeof document === "object" && document !== null && Object.keys(document).join() === "error";
}
