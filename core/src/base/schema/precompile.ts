/**
 * Part of `npm run build`: compiles the checks of our schemas into modules beside this one. Each process would need 100 to 200 ms
 * to compile those that it uses.
 */
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { installation } from "../../installation.js";
import { type CheckPointers, metaSchema, modulesOf } from "./compile.js";
import { readSchema, type SchemaDocument } from "./read-schema.js";

/** Schemas that are only a list of definitions: each definition has a check. */
const lists = ["contract.v1", "service.v1", "command-line.v1"];

const suffix = ".schema.json";
const names = readdirSync(installation.schemas).filter((file) => file.endsWith(suffix));
const schemas = names.map((file) => readSchema(file));

const modules: Record<string, CheckPointers> = {
  ...Object.fromEntries(schemas.map((schema, at) => checksOf((names[at] ?? "").slice(0, -suffix.length), schema))),
  "options-schema": { whole: metaSchema },
};

function checksOf(name: string, { $id, $defs = {} }: SchemaDocument): [string, CheckPointers] {
  if (!lists.includes(name)) return [name, { whole: $id }];
  return [name, Object.fromEntries(Object.keys($defs).map((part) => [part, `${$id}#/$defs/${part}`]))];
}

const folder = path.join(import.meta.dirname, "checks");
mkdirSync(folder, { recursive: true });
for (const [name, text] of await modulesOf(modules, schemas)) writeFileSync(path.join(folder, `${name}.cjs`), text);
