/** The checks of every document and answer against schemas/. The only importer of ajv. */
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import type { Finding } from "./finding.js";
import { documents } from "./documents.js";
import { findings, type Source } from "./findings.js";
import type { SchemaError } from "./schema-error.js";
import type { AllSchemas, Contract } from "./types.js";

type Documents = Required<Omit<AllSchemas, "contract">>;
type Answers = Required<Contract>;

/** A whole document, or one answer of the plugin contract. */
export type SchemaName = keyof Documents | `contract#/$defs/${keyof Answers}`;

/** The type that a schema describes. */
export type Shape<N extends SchemaName> = N extends keyof Documents
  ? Documents[N]
  : N extends `contract#/$defs/${infer K extends keyof Answers}`
    ? Answers[K]
    : never;

export type Checked<T> = { ok: true; value: T } | { ok: false; findings: Finding[] };

/** Checks a value against one of our schemas; all faults at once. A source that is a string is the file alone. */
export function validate<N extends SchemaName>(name: N, value: unknown, source: string | Source): Checked<Shape<N>> {
  return run<Shape<N>>(compiled(name), value, typeof source === "string" ? { file: source } : source);
}

/** The check of a plugin's config block; `value` in the answer is a copy with the defaults filled in. */
export type OptionsCheck = (value: Record<string, unknown>, source: Source) => Checked<Record<string, unknown>>;

/** Compiles the options schema of a manifest. A broken schema is an answer, not an exception: it is the plugin author's fault. */
export function compileOptions(
  schema: Record<string, unknown>,
): { ok: true; check: OptionsCheck } | { ok: false; reason: string } {
  try {
    metaSchema ??= new Ajv2020({ ...strictly, logger: false });
    if (metaSchema.validateSchema(schema) !== true) return { ok: false, reason: schemaFaults(metaSchema) };
    const validator = optionsCompiler().compile<Record<string, unknown>>(structuredClone(schema));
    return { ok: true, check: (value, source) => run(validator, structuredClone(value), source) };
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

const strictly = {
  allErrors: true,
  strict: true,
  strictRequired: false,
  strictTuples: false,
  allowUnionTypes: true,
  discriminator: true,
  verbose: true,
  // Optimizing costs a process more than it can win back: 80 ms for a record.
  code: { optimize: false },
} as const;

let ours: Ajv2020 | undefined;

function compiled<N extends SchemaName>(name: N): ValidateFunction<Shape<N>> {
  ours ??= ourCompiler();
  const [document = name, fragment] = name.split("#");
  const id = documents[`${document}.v1` as keyof typeof documents].$id;
  const validator = ours.getSchema<Shape<N>>(fragment === undefined ? id : `${id}#${fragment}`);
  if (validator === undefined) throw new Error(`there is no schema ${name}`);
  return validator;
}

function ourCompiler(): Ajv2020 {
  const ajv = new Ajv2020(strictly);
  ajv.addVocabulary(["tsType"]);
  // The schemas are ours and tested: checking them against the meta-schema would cost every start 40 ms.
  for (const document of Object.values(documents)) ajv.addSchema(document, undefined, undefined, false);
  return ajv;
}

/** Compiled once: it is the costly part of a compiler. */
let metaSchema: Ajv2020 | undefined;

/** A compiler of its own for each manifest: two versions of a plugin may give their schemas the same $id. */
function optionsCompiler(): Ajv2020 {
  return new Ajv2020({ ...strictly, useDefaults: true, validateFormats: false, validateSchema: false, logger: false });
}

function schemaFaults({ errors }: Ajv2020): string {
  const faults = findings((errors ?? []) as SchemaError[], { file: "" });
  return faults.map(({ pointer, seen, expected }) => `at "${pointer}" ${seen}, expected ${expected}`).join("; ");
}

function run<T>(validator: ValidateFunction<T>, value: unknown, source: Source): Checked<T> {
  if (validator(value)) return { ok: true, value };
  return { ok: false, findings: findings((validator.errors ?? []) as SchemaError[], source) };
}
