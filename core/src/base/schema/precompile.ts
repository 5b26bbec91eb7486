/**
 * Part of `npm run build`: compiles the checks of our schemas into modules beside this one. Each process would need 100 to 200 ms
 * to compile those that it uses. A module is written anew only if what it is made from has changed.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { installation } from "../../installation.js";
import type { CheckPointers } from "./compile.js";
import { readSchema, type SchemaDocument } from "./read-schema.js";
import { metaSchema } from "./validate.js";

/** Schemas that are only a list of definitions: each definition has a check. */
const lists = ["contract.v1", "service.v1", "command-line.v1"];

const suffix = ".schema.json";
const files = readdirSync(installation.schemas).filter((file) => file.endsWith(suffix));
const folder = path.join(import.meta.dirname, "checks");
const compiler = [
  readFileSync(path.join(import.meta.dirname, "compile.js"), "utf8"),
  readFileSync(createRequire(import.meta.url).resolve("ajv/package.json"), "utf8"),
];

interface CheckModule {
  /** The module without its extension. */
  readonly name: string;
  readonly pointers: CheckPointers;
  /** A digest of all that the module is made from, as the comment that the module begins with. */
  readonly stamp: string;
}

const modules: CheckModule[] = [
  ...files.map((file) => moduleOf(file.slice(0, -suffix.length), pointersOf(file), [...reachedFrom(file)])),
  moduleOf("options-schema", { whole: metaSchema }, []),
];
const stale = modules.filter(({ name, stamp }) => !isCurrent(path.join(folder, `${name}.cjs`), stamp));
if (stale.length > 0) {
  const { modulesOf } = await import("./compile.js");
  const pointers = Object.fromEntries(stale.map(({ name, pointers: all }) => [name, all]));
  const texts = await modulesOf(pointers, files.map(readSchema));
  mkdirSync(folder, { recursive: true });
  for (const { name, stamp } of stale) writeFileSync(path.join(folder, `${name}.cjs`), `${stamp}\n${texts.get(name)}`);
}

function moduleOf(name: string, pointers: CheckPointers, sources: readonly string[]): CheckModule {
  const digest = createHash("sha256");
  for (const part of [...compiler, JSON.stringify(pointers), ...sources.map(textOf)]) digest.update(part).update("\0");
  return { name, pointers, stamp: `// ${digest.digest("hex")}` };
}

function pointersOf(file: string): CheckPointers {
  const { $id, $defs = {} }: SchemaDocument = readSchema(file);
  if (!lists.includes(file.slice(0, -suffix.length))) return { whole: $id };
  return Object.fromEntries(Object.keys($defs).map((part) => [part, `${$id}#/$defs/${part}`]));
}

/** The document itself, and all that it refers to, also by way of others. */
function reachedFrom(file: string, reached = new Set<string>()): Set<string> {
  if (reached.has(file)) return reached;
  reached.add(file);
  for (const [, other = ""] of textOf(file).matchAll(/"\$ref":\s*"([^"#]+)/g)) reachedFrom(other, reached);
  return reached;
}

function textOf(file: string): string {
  return readFileSync(path.join(installation.schemas, file), "utf8");
}

function isCurrent(file: string, stamp: string): boolean {
  try {
    return readFileSync(file, "utf8").startsWith(`${stamp}\n`);
  } catch {
    return false;
  }
}
