/** How the pages that are generated show a value that a schema describes. */
export interface Schema {
  title?: string;
  description?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  $ref?: string;
  required?: string[];
  properties?: Record<string, Schema>;
  items?: Schema;
  minItems?: number;
  default?: unknown;
  oneOf?: Schema[];
  anyOf?: Schema[];
  additionalProperties?: boolean | Schema;
  $defs?: Record<string, Schema>;
}

/** A heading, what it means, and its properties. */
export function valueLines(schema: Schema): string[] {
  const { title = "", description, oneOf, anyOf, properties, required = [] } = schema;
  const head = [`## ${title}`, ...(description === undefined ? [] : ["", ...wrapped(description)])];
  if (oneOf !== undefined)
    return [...head, "", "One of:", "", "```ts", ...oneOf.map((one) => shapeOf(one)), "```", ...branchLines(oneOf)];
  if (anyOf !== undefined) return [...head, "", `${anyOf.map((one) => `\`${typeOf(one)}\``).join(" or ")}.`];
  if (properties === undefined) {
    const type =
      schema.enum === undefined ? `A ${[schema.type ?? "value"].flat().join(" or ")}` : `\`${typeOf(schema)}\``;
    return [...head, "", `${type}.`];
  }
  const rows = Object.entries(properties).map(([name, property]) => {
    const label = required.includes(name) ? `\`${name}\`` : `\`${name}\`, optional`;
    return `| ${label} | ${cell(typeOf(property))} | ${cell(property.description ?? "")} |`;
  });
  return [...head, "", "| property | type | meaning |", "| --- | --- | --- |", ...rows];
}

/** What the branches of a union, and their properties, mean. */
function branchLines(branches: readonly Schema[]): string[] {
  const rows = branches.flatMap(({ title, description, properties = {} }) => {
    const [constant] = Object.values(properties).flatMap(({ const: value }) =>
      typeof value === "string" ? value : [],
    );
    const name = constant ?? title ?? "";
    const parts = Object.entries(properties).flatMap(([property, { description: about }]) =>
      about === undefined ? [] : [`\`${property}\`: ${about}`],
    );
    const meaning = [...(description === undefined ? [] : [description]), ...parts].join(" ");
    return meaning === "" ? [] : [`| \`${name}\` | ${cell(meaning)} |`];
  });
  return rows.length === 0 ? [] : ["", "| value | meaning |", "| --- | --- |", ...rows];
}

function shapeOf({ properties = {}, required = [] }: Schema): string {
  const parts = Object.entries(properties).map(
    ([name, property]) => `${name}${required.includes(name) ? "" : "?"}: ${typeOf(property)}`,
  );
  return `{ ${parts.join(", ")} }`;
}

export function typeOf({ $ref, const: value, enum: allowed, type, items, title, anyOf }: Schema): string {
  if ($ref !== undefined) {
    const name = $ref.slice($ref.lastIndexOf("/") + 1);
    return name.charAt(0).toUpperCase() + name.slice(1);
  }
  if (value !== undefined) return JSON.stringify(value);
  if (allowed !== undefined) return allowed.map((one) => JSON.stringify(one)).join(" | ");
  if (type === "array" && items !== undefined) return `${items.title ?? typeOf(items)}[]`;
  if (anyOf !== undefined) return anyOf.map((one) => one.title ?? typeOf(one)).join(" | ");
  return title ?? [type ?? "any"].flat().join(" | ");
}

/** Characters in a line of a page, at most. */
const widest = 120;

/** A paragraph in lines. */
function wrapped(text: string): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = [lines.at(-1), word].filter((part) => part !== "").join(" ");
    if (line.length <= widest) lines.splice(-1, 1, line);
    else lines.push(word);
  }
  return lines;
}

export const cell = (text: string): string => text.replaceAll("|", String.raw`\|`);
