/** The checks of every document and result against schemas/. */
import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import type { CompiledCheck } from "./compile.js";
import { installation } from "../../installation.js";
import { findings, onlyUnknown, type Source } from "./findings.js";
import type { AllSchemas, CommandLine, Contract, Finding, Service } from "./types.js";
import { withoutAt } from "./pointer.js";

type Documents = Required<Omit<AllSchemas, "contract" | "service" | "command-line">>;
type Answers = Required<Contract>;
type Messages = Required<Service>;
type Printed = Required<CommandLine>;

/** A whole document, one result of the plugin contract, one message of the service, or what a command prints. */
export type SchemaName =
  | keyof Documents
  | `contract#/$defs/${keyof Answers}`
  | `service#/$defs/${keyof Messages}`
  | `command-line#/$defs/${keyof Printed}`;

/** The type that a schema describes. */
export type Shape<N extends SchemaName> = N extends keyof Documents
  ? Documents[N]
  : N extends `contract#/$defs/${infer K extends keyof Answers}`
    ? Answers[K]
    : N extends `service#/$defs/${infer K extends keyof Messages}`
      ? Messages[K]
      : N extends `command-line#/$defs/${infer K extends keyof Printed}`
        ? Printed[K]
        : never;

export type Validated<T> = { ok: true; value: T } | { ok: false; findings: Finding[] };

/** Checks a value against one of our schemas, and collects all errors. A source that is a string is the file alone. */
export function validate<N extends SchemaName>(name: N, value: unknown, source: string | Source): Validated<Shape<N>> {
  return runCheck<Shape<N>>(checkOf(name), value, typeof source === "string" ? { file: source } : source);
}

/**
 * The same, for what a later version may have written: properties that the schema does not know are removed, and reported in
 * `unknown`, unless something else is wrong as well.
 */
export function validateOpenly<N extends SchemaName>(
  name: N,
  value: unknown,
  source: string | Source,
): Validated<Shape<N>> & { unknown: readonly Finding[] } {
  const check = checkOf(name);
  const from = typeof source === "string" ? { file: source } : source;
  const unknown: Finding[] = [];
  let wrong: Finding[] | null = null;
  let known = value;
  // A union tells of the unknown properties of its branch only when nothing else is unknown.
  for (let attempt = 0; attempt < MOST_REMOVALS; attempt += 1) {
    if (check(known)) return { ok: true, value: known as Shape<N>, unknown };
    const errors = check.errors ?? [];
    const found = findings(errors, from);
    wrong ??= found;
    const pointers = onlyUnknown(errors);
    if (pointers === null) break;
    unknown.push(...found);
    known = withoutAt(known, pointers);
  }
  return { ok: false, findings: wrong ?? [], unknown: [] };
}

const MOST_REMOVALS = 10;

/** Whether a document of ours that cannot be read was written by a later version. All that are stored have version 1. */
export function isNewer(value: unknown, property: "version" | "recordVersion"): boolean {
  const version: unknown = typeof value === "object" && value !== null ? Reflect.get(value, property) : undefined;
  return typeof version === "number" && version > 1;
}

/** The dialect in which plugins describe their options. */
export const metaSchema = "https://json-schema.org/draft/2020-12/schema";

/** What `npm run build` made of the schemas; see precompile.ts. */
const load = createRequire(import.meta.url);
const loaded = new Map<SchemaName | "options-schema", CompiledCheck>();

/** Loads a check once: while volumes are held, no file is read. */
export function checkOf(name: SchemaName | "options-schema"): CompiledCheck {
  const known = loaded.get(name);
  if (known !== undefined) return known;
  const [document = name, part = "whole"] = name.split("#/$defs/");
  const file = document === "options-schema" ? document : `${document}.v1`;
  const check = (
    load(path.join(installation.modules, "base/schema/checks", `${file}.cjs`)) as Record<string, CompiledCheck>
  )[part];
  if (check === undefined) throw new Error(`unknown schema ${name}`);
  loaded.set(name, check);
  return check;
}

/** For a process that outlives its files. */
export function loadAllChecks(): void {
  const folder = path.join(installation.modules, "base/schema/checks");
  for (const file of readdirSync(folder)) if (file.endsWith(".cjs")) load(path.join(folder, file));
}

export function runCheck<T>(check: CompiledCheck, value: unknown, source: Source): Validated<T> {
  if (check(value)) return { ok: true, value: value as T };
  return { ok: false, findings: findings(check.errors ?? [], source) };
}
