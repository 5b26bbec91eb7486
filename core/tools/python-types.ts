/** The contract in Python: types for dictionaries, and the methods with their parameters. */
import { type MethodTable } from "./method-table.js";
import { type NamedType, type Type, TypeModel } from "./type-model.js";

const header = `"""The values of the contract, and its methods. Made by holdstill from its schemas: do not edit."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict
`;

/** Whether it can be the name of a field in a class. */
const isName = (text: string): boolean => /^\w+$/.test(text) && !["from", "in", "is", "as", "class"].includes(text);

export function pythonTypes(table: MethodTable): string {
  const { toPlugin } = table;
  const model = new TypeModel(table);
  const methods = Object.entries(toPlugin.methods).map(([role, entries]) => {
    const lines = Object.entries(entries).map(([op, { params, result }]) => {
      const given = params.map(({ name, schema }) => `${name}: ${written(model.typeOf(schema, name))}`);
      return `    # ${op}(${[...given, "ctx"].join(", ")}) -> ${written(model.typeOf(result, op))}\n    "${op}": (${params.map(({ name }) => `"${name}"`).join(", ")}${params.length === 1 ? "," : ""}),`;
    });
    return `${role.toUpperCase()}: dict[str, tuple[str, ...]] = {\n${lines.join("\n")}\n}`;
  });
  model.addMessages(table);
  const types = [...model.types.values()];
  const aliases = types.filter((one) => "alias" in one);
  return [
    header,
    ...types.filter((one) => "fields" in one).map((one) => `\n${definition(one)}`),
    "",
    ...aliases.map((one) => definition(one)),
    "",
    "# The parameters of each method, by the kind of plugin. `ctx` comes after them.",
    ...methods,
    "",
  ].join("\n");
}

function definition(type: NamedType): string {
  if ("alias" in type) return `${type.name}: TypeAlias = ${quoted(written(type.alias))}`;
  const fields = type.fields.map(({ name, type: of, required }) => ({
    name,
    text: required === "always" ? written(of) : `NotRequired[${written(of)}]`,
  }));
  if (!fields.every(({ name }) => isName(name))) {
    const entries = fields.map(({ name, text }) => `        "${name}": ${quoted(text)},`);
    return `${type.name} = TypedDict(\n    "${type.name}",\n    {\n${entries.join("\n")}\n    },\n)\n`;
  }
  const doc = type.doc === "" ? [] : [`    """${type.doc}"""\n`];
  return [`class ${type.name}(TypedDict):`, ...doc, ...fields.map(({ name, text }) => `    ${name}: ${text}`), ""].join(
    "\n",
  );
}

/** A type that is defined later may be referred to in quotes. */
const quoted = (text: string): string => JSON.stringify(text.replaceAll('"', "'"));

function written(type: Type): string {
  switch (type.is) {
    case "any":
      return "Any";
    case "nothing":
      return "None";
    case "string":
      return "str";
    case "integer":
      return "int";
    case "number":
      return "float";
    case "boolean":
      return "bool";
    case "choice":
      return `Literal[${type.of.map((one) => JSON.stringify(one)).join(", ")}]`;
    case "list":
      return `list[${written(type.of)}]`;
    case "map":
      return `dict[str, ${written(type.of)}]`;
    case "nullable":
      return `${written(type.of)} | None`;
    case "named":
      return type.name;
  }
}
