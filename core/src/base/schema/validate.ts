/** The checks of every document and result against schemas/. */
import { createRequire } from "node:module";
import type { CompiledCheck } from "./compile.js";
import { findings, type Source } from "./findings.js";
import type { AllSchemas, CommandLine, Contract, Finding, Service } from "./types.js";

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
  const check = (load(`./checks/${file}.cjs`) as Record<string, CompiledCheck>)[part];
  if (check === undefined) throw new Error(`unknown schema ${name}`);
  loaded.set(name, check);
  return check;
}

export function runCheck<T>(check: CompiledCheck, value: unknown, source: Source): Validated<T> {
  if (check(value)) return { ok: true, value: value as T };
  return { ok: false, findings: findings(check.errors ?? [], source) };
}
