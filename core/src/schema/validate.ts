import { Ajv2020, type ErrorObject } from "ajv/dist/2020.js";
import type { Finding } from "../errors/details.js";
import { documents } from "./documents.js";
import type { Contract } from "./types.js";

export type SchemaName = "components" | `contract#/$defs/${keyof Contract}`;
export type Checked = { ok: true; value: unknown } | { ok: false; findings: Finding[] };

const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true });
ajv.addVocabulary(["tsType"]);
for (const document of Object.values(documents)) ajv.addSchema(document);

/** Checks a plugin's answer against a definition of contract.v1, or against components.v1. */
export function validate(name: SchemaName, value: unknown, file: string): Checked {
  const [document = name, fragment = ""] = name.split("#");
  const id = documents[`${document}.v1` as "components.v1" | "contract.v1"].$id;
  const check = ajv.getSchema(`${id}#${fragment}`);
  if (check === undefined) throw new Error(`there is no schema ${name}`);
  if (check(value) === true) return { ok: true, value };
  return { ok: false, findings: (check.errors ?? []).map((error) => toFinding(error, value, file)) };
}

function toFinding(error: ErrorObject, value: unknown, file: string): Finding {
  let seen: unknown = value;
  for (const key of error.instancePath.split("/").slice(1)) seen = (seen as Record<string, unknown>)[key];
  return {
    file,
    pointer: error.instancePath,
    seen: JSON.stringify(seen) ?? "nothing",
    expected: error.message ?? error.keyword,
  };
}
