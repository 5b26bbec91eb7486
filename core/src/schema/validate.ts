import { Ajv2020, type ErrorObject } from "ajv/dist/2020.js";
import type { Finding } from "../errors/details.js";
import { documents } from "./documents.js";

export type Checked = { ok: true } | { ok: false; findings: Finding[] };

const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true });
ajv.addKeyword("tsType");
for (const document of Object.values(documents)) ajv.addSchema(document);

/** Checks a plugin's answer against a definition of contract.v1, or against components.v1. */
export function checkAnswer(shape: string, value: unknown, file: string): Checked {
  const id =
    shape === "components" ? documents["components.v1"].$id : `${documents["contract.v1"].$id}#/$defs/${shape}`;
  const check = ajv.getSchema(id);
  if (check === undefined) throw new Error(`there is no schema ${id}`);
  if (check(value) === true) return { ok: true };
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
