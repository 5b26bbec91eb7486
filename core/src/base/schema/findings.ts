import type { Finding } from "./types.js";
import { nearest } from "./nearest.js";
import type { SchemaError } from "./schema-error.js";
import { expectation } from "./words.js";

/** The 1-based line of a JSON pointer in the text that the value was read from. */
export type LineOf = (pointer: string) => number | undefined;

/** The origin of a checked value. */
export interface Source {
  file: string;
  lineOf?: LineOf;
  /** JSON pointer to the value in the file. Default: the whole document. */
  pointer?: string;
}

/** A person reads no more than this at once. Some of the work here grows with the square of the number. */
const mostErrors = 200;

/** One finding for each error, in the order of the schema: of a document with very many, the first ones. */
export function findings(all: readonly SchemaError[], source: Source): Finding[] {
  const faults = withoutEchoes(all.slice(0, mostErrors)).map((error) => faultOf(error));
  const misspelt = new Set(faults.map(({ owner, found }) => `${owner}/${found.nearest}`));
  return faults
    .filter(({ missing, owner }) => missing === undefined || !misspelt.has(`${owner}/${missing}`))
    .map(({ found }) => place(found, source));
}

/** Pointers to the properties that the schema does not know, if nothing else is wrong; else null. */
export function onlyUnknown(all: readonly SchemaError[]): string[] | null {
  const pointers = withoutEchoes(all.slice(0, mostErrors)).map(({ instancePath, params }) => {
    const extra = params.additionalProperty ?? params.unevaluatedProperty;
    return typeof extra === "string" ? `${instancePath}/${escapePointer(extra)}` : null;
  });
  return pointers.every((pointer) => pointer !== null) ? pointers : null;
}

/** Completes a finding with its file, and with its line if the text is known. */
export function place(found: Omit<Finding, "file" | "line">, source: Source): Finding {
  const pointer = `${source.pointer ?? ""}${found.pointer}`;
  const line = source.lineOf?.(pointer);
  return { file: source.file, ...(line === undefined ? {} : { line }), ...found, pointer };
}

/** Names whose values are never shown: findings end up in logs. */
const secret = /pass(word|phrase)|secret|token|credential/i;

/** A value as one short piece of JSON. */
export function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  let text: string | undefined;
  try {
    text = JSON.stringify(value, (name, inner: unknown) => (secret.test(name) ? "(hidden)" : inner)) as
      | string
      | undefined;
  } catch {
    text = undefined;
  }
  text ??= "something that is not JSON";
  return shorten(text);
}

/** At most 60 characters, because what is not a text file may have very long lines. */
export function shorten(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 59)}…`;
}

export function escapePointer(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

interface Fault {
  found: Omit<Finding, "file" | "line">;
  /** Pointer to the object that has the property, or that should have it. */
  owner: string;
  missing?: string;
}

function faultOf(error: SchemaError): Fault {
  const { instancePath: owner, params, data } = error;
  const expected = expectation(error);
  const extra = params.additionalProperty ?? params.unevaluatedProperty;
  if (typeof extra === "string") {
    const known = Object.keys((error.parentSchema?.properties as object | undefined) ?? {});
    const pointer = `${owner}/${escapePointer(extra)}`;
    return { owner, found: { pointer, seen: `property ${shown(extra)}`, expected, ...spelling(extra, known) } };
  }
  const hidden = secret.test(owner.slice(owner.lastIndexOf("/")));
  const found = { pointer: owner, seen: hidden ? "(hidden)" : shown(data), expected };
  if (error.keyword === "required") return { owner, found, missing: String(params.missingProperty) };
  if (error.keyword === "enum")
    return { owner, found: { ...found, ...spelling(data, params.allowedValues as unknown[]) } };
  return { owner, found };
}

function spelling(word: unknown, known: unknown[]): { nearest?: string } {
  if (typeof word !== "string") return {};
  const names = known.filter((name) => typeof name === "string");
  const name = nearest(word, names);
  return name === undefined ? {} : { nearest: name };
}

/**
 * A union reports the errors of every branch, and then its own. If the value's type fits only one branch, the errors of that
 * branch are useful. Otherwise the union's own error is.
 */
function withoutEchoes(errors: readonly SchemaError[]): SchemaError[] {
  const echoes = new Set<SchemaError>();
  for (const error of errors) {
    if (error.propertyName !== undefined || error.keyword === "if") echoes.add(error);
    if (error.keyword === "type" && errors.some((other) => namesValues(other, error))) echoes.add(error);
    if (error.keyword !== "anyOf" && error.keyword !== "oneOf") continue;
    const below = errors.filter((other) => isBelow(other, error));
    const branch = onlyFitting(error);
    const unmeant = below.filter((other) => branch === undefined || !other.schemaPath.startsWith(`${branch}/`));
    for (const echo of branch === undefined ? below : [error, ...unmeant]) echoes.add(echo);
  }
  return errors.filter((error) => !echoes.has(error));
}

/** If both the type and the value are wrong, the list of allowed values is more useful. */
function namesValues(other: SchemaError, error: SchemaError): boolean {
  const same = other.instancePath === error.instancePath && other.parentSchema === error.parentSchema;
  return same && (other.keyword === "enum" || other.keyword === "const");
}

function isBelow(error: SchemaError, union: SchemaError): boolean {
  const inside = error.instancePath === union.instancePath || error.instancePath.startsWith(`${union.instancePath}/`);
  return inside && error.schemaPath.startsWith(`${union.schemaPath}/`);
}

/** Schema path of the only branch that the value can be meant for: by its type, by its constants, or else by its properties. */
function onlyFitting({ schema, schemaPath, data, parentSchema }: SchemaError): string | undefined {
  if (parentSchema?.title === "Duration") return undefined;
  const branches = schema as Branch[];
  const fitting = branches.filter((branch) => admits(branch.type, data) && hasConstants(branch, data));
  const complete = fitting.filter(({ required = [] }) =>
    required.every((name) => propertyOf(data, name) !== undefined),
  );
  const [only, ...others] = fitting.length === 1 ? fitting : complete;
  return only === undefined || others.length > 0 ? undefined : `${schemaPath}/${branches.indexOf(only)}`;
}

interface Branch {
  readonly type?: unknown;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, { readonly const?: unknown }>>;
}

/** A constant that is not required may be absent. */
function hasConstants({ required = [], properties = {} }: Branch, data: unknown): boolean {
  return Object.entries(properties).every(([name, { const: only }]) => {
    const value = propertyOf(data, name);
    return only === undefined || value === only || (value === undefined && !required.includes(name));
  });
}

const propertyOf = (data: unknown, name: string): unknown =>
  typeof data === "object" && data !== null ? (Reflect.get(data, name) as unknown) : undefined;

function admits(type: unknown, data: unknown): boolean {
  const types: unknown[] = Array.isArray(type) ? type : [type];
  const actual = data === null ? "null" : Array.isArray(data) ? "array" : typeof data;
  return type === undefined || types.includes(actual) || (actual === "number" && types.includes("integer"));
}
