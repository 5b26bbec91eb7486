import type { SchemaError } from "./schema-error.js";

/** What a schema requires, in words that complete "expected …". */
export function expectation(error: SchemaError): string {
  const { keyword, params, parentSchema } = error;
  if (parentSchema?.title === "Duration") return 'a duration such as "250ms", "3s", "10m", or milliseconds';
  switch (keyword) {
    case "type":
      return typeWords(params.type);
    case "enum":
      return `one of ${list(params.allowedValues)}`;
    case "const":
      return JSON.stringify(params.allowedValue);
    case "required":
      return `a property "${String(params.missingProperty)}"`;
    case "additionalProperties":
      return `no property "${String(params.additionalProperty)}" here`;
    case "unevaluatedProperties":
      return `no property "${String(params.unevaluatedProperty)}" here`;
    case "propertyNames":
      return `no property "${String(params.propertyName)}" here`;
    case "pattern":
      return `text that matches ${String(params.pattern)}${note(parentSchema?.description)}`;
    case "minimum":
    case "maximum":
    case "exclusiveMinimum":
    case "exclusiveMaximum":
      return `a number ${String(params.comparison)} ${String(params.limit)}`;
    case "multipleOf":
      return `a multiple of ${String(params.multipleOf)}`;
    case "minLength":
      return `at least ${count(params.limit, "character")}`;
    case "maxLength":
      return `at most ${count(params.limit, "character")}`;
    case "minItems":
      return `at least ${count(params.limit, "item")}`;
    case "maxItems":
      return `at most ${count(params.limit, "item")}`;
    case "uniqueItems":
      return `each item once; items ${String(params.j)} and ${String(params.i)} are the same`;
    case "discriminator":
      return `a known "${String(params.tag)}"`;
    case "anyOf":
    case "oneOf":
      return (error.schema as unknown[]).map((branch) => branchWords(branch)).join(" or ");
    default:
      return error.message ?? `what ${keyword} demands`;
  }
}

const types: Record<string, string> = {
  string: "a string",
  number: "a number",
  integer: "an integer",
  boolean: "true or false",
  object: "an object",
  array: "a list",
  null: "null",
};

function typeWords(type: unknown): string {
  const names: unknown[] = Array.isArray(type) ? type : String(type).split(",");
  return names.map((name) => types[String(name)] ?? String(name)).join(" or ");
}

function branchWords(branch: unknown): string {
  const { type, title, const: value, enum: values } = branch as Record<string, unknown>;
  if (value !== undefined) return JSON.stringify(value);
  if (values !== undefined) return `one of ${list(values)}`;
  if (typeof title === "string") return title;
  return type === undefined ? "another shape" : typeWords(type);
}

function list(values: unknown): string {
  return (values as unknown[]).map((value) => JSON.stringify(value)).join(", ");
}

function count(limit: unknown, noun: string): string {
  return `${String(limit)} ${noun}${limit === 1 ? "" : "s"}`;
}

function note(description: unknown): string {
  return typeof description === "string" ? ` (${description.replace(/\.$/, "")})` : "";
}
