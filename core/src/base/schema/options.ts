import { type CompiledCheck, compileOptionsSchema } from "./compile.js";
import { findings, type Source } from "./findings.js";
import { type Validated, checkOf, metaSchema, runCheck } from "./validate.js";

/** The check of a plugin's options. `value` in the result is a copy with the defaults filled in. */
export type OptionsCheck = (value: Record<string, unknown>, source: Source) => Validated<Record<string, unknown>>;

/**
 * Compiles the options schema of a manifest, at once or when it is first used: compiling takes longer than everything else that
 * is done for a plugin that is not used. An invalid schema is a result, not an exception: it is an error of the plugin.
 */
export function compileOptions(
  schema: Record<string, unknown>,
  when: "now" | "when used" = "now",
): { ok: true; check: OptionsCheck } | { ok: false; reason: string } {
  const { $schema: dialect = metaSchema } = schema;
  if (dialect !== metaSchema) return { ok: false, reason: `$schema is not ${metaSchema}` };
  const wellFormed = checkOf("options-schema");
  if (!wellFormed(schema)) return { ok: false, reason: schemaFaults(wellFormed) };
  try {
    let compiled = when === "now" ? compileOptionsSchema(schema) : undefined;
    const check: OptionsCheck = (value, source) =>
      runCheck((compiled ??= compileOptionsSchema(schema)), structuredClone(value), source);
    return { ok: true, check };
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

function schemaFaults({ errors }: CompiledCheck): string {
  const faults = findings(errors ?? [], { file: "" });
  return faults.map(({ pointer, seen, expected }) => `at "${pointer}" ${seen}, expected ${expected}`).join("; ");
}
