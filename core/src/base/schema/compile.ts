/** Compiles schemas: ours when holdstill is built, those of plugins' options when it runs. The only importer of ajv. */
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import type { SchemaError } from "./schema-error.js";

/** Whether a value is valid; if not, `errors` has every error. */
export interface CompiledCheck {
  (value: unknown): boolean;
  errors?: readonly SchemaError[] | null;
}

const strictly = {
  allErrors: true,
  strict: true,
  strictRequired: false,
  strictTuples: false,
  allowUnionTypes: true,
  discriminator: true,
  verbose: true,
} as const;

/** By the name of a check: the $id of a schema, or a pointer into one. */
export type CheckPointers = Record<string, string>;

/** The text of each module, by its name. A module exports its checks by name, as CommonJS: it is loaded when it is needed, without waiting. */
export async function modulesOf(
  modules: Record<string, CheckPointers>,
  schemas: readonly object[],
): Promise<Map<string, string>> {
  const { default: standalone } = await import("ajv/dist/standalone/index.js");
  const ajv = new Ajv2020({ ...strictly, code: { source: true, lines: true } });
  ajv.addVocabulary(["tsType"]);
  for (const schema of schemas) ajv.addSchema(schema);
  return new Map(Object.entries(modules).map(([name, checks]) => [name, standalone.default(ajv, checks)]));
}

/** The check of a config block, which fills in the defaults. @throws Error if ajv cannot compile the schema. */
export function compileOptionsSchema(schema: Record<string, unknown>): CompiledCheck {
  // A separate compiler for each manifest: two versions of a plugin may give their schemas the same $id.
  const ajv = new Ajv2020({
    ...strictly,
    useDefaults: true,
    validateFormats: false,
    validateSchema: false,
    logger: false,
    // Optimizing takes longer than a process can save by it.
    code: { optimize: false },
  });
  return ajv.compile(structuredClone(schema)) as ValidateFunction & CompiledCheck;
}
