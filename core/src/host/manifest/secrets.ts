import path from "node:path";
import type { Finding } from "../../base/schema/types.js";
import { shown } from "../../base/schema/findings.js";
import { pointerOf, valueAt, withAt } from "../../base/schema/pointer.js";
import { O_RDONLY } from "../../os/path/flags.js";
import { RegularFile } from "../../os/path/handle.js";
import { openNamed } from "../../os/path/read-file.js";
import { type TrustedUser, exposures } from "../../base/trust/ownership.js";
import { readersByList } from "../trust/access-list.js";

type Options = Record<string, unknown>;
type Fault = Pick<Finding, "pointer" | "seen" | "expected">;

/** Replaces a secret in everything that is shown. */
const hidden = "(hidden)";

/** JSON pointers to the secrets in a plugin's options: what its schema marks with `"writeOnly": true`. */
export function secretsOf(schema: unknown, options: Options): string[] {
  return [...new Set(search(schema, { value: options, root: schema, steps: [], depth: 0 }))];
}

interface Spot {
  value: unknown;
  root: unknown;
  steps: readonly string[];
  depth: number;
}

/** A schema may refer to itself. */
const deepest = 20;

function search(schema: unknown, spot: Spot): string[] {
  const { value, root, steps } = spot;
  const depth = spot.depth + 1;
  if (!isObject(schema) || value === undefined || depth > deepest) return [];
  if (schema["writeOnly"] === true) return [pointerOf(steps)];
  const { $ref, properties, items } = schema;
  const here: unknown[] = typeof $ref === "string" && $ref.startsWith("#/") ? [valueAt(root, $ref.slice(1))] : [];
  for (const name of ["allOf", "anyOf", "oneOf"]) {
    if (Array.isArray(schema[name])) here.push(...(schema[name] as unknown[]));
  }
  const found = here.flatMap((one) => search(one, { ...spot, depth }));
  const enter = (inner: unknown, name: string, child: unknown): void => {
    found.push(...search(inner, { value: child, root, steps: [...steps, name], depth }));
  };
  if (isObject(properties) && isObject(value)) {
    for (const [name, inner] of Object.entries(properties)) enter(inner, name, value[name]);
  }
  if (Array.isArray(value)) for (const [index, child] of value.entries()) enter(items, String(index), child);
  return found;
}

/** The options with the value of every secret, the values, and what could not be read. */
export interface Revealed {
  options: Options;
  secrets: string[];
  faults: Fault[];
}

/** Reads what `{ "env": NAME }` and `{ "file": PATH }` refer to, only in place of secrets. */
export async function reveal(options: Options, places: readonly string[], us: TrustedUser): Promise<Revealed> {
  const revealed: Revealed = { options, secrets: [], faults: [] };
  for (const pointer of places) {
    const given = valueAt(options, pointer);
    const read = await readSecret(given, us);
    if (typeof read !== "string") revealed.faults.push({ pointer, ...read });
    else revealed.secrets.push(read);
    revealed.options = withAt(revealed.options, pointer, typeof read === "string" ? read : hidden);
  }
  return revealed;
}

/** The options without secrets. */
function masked(options: Options, places: readonly string[]): Options {
  return places.reduce((value, pointer) => withAt(value, pointer, hidden), options);
}

/** Findings about revealed options, without secrets. */
export function withoutSecrets(
  findings: readonly Finding[],
  at: string,
  options: Options,
  places: readonly string[],
): Finding[] {
  const safe = masked(options, places);
  return findings.map((finding) => {
    const pointer = finding.pointer.slice(at.length);
    const isSecret = places.some((place) => pointer === place || pointer.startsWith(`${place}/`));
    if (isSecret) return { ...finding, seen: hidden };
    return places.some((place) => place.startsWith(`${pointer}/`)) && !finding.seen.startsWith("property ")
      ? { ...finding, seen: shown(valueAt(safe, pointer)) }
      : finding;
  });
}

async function readSecret(given: unknown, us: TrustedUser): Promise<string | Omit<Fault, "pointer">> {
  if (typeof given === "string") return given;
  const { env, file, ...rest } = isObject(given) ? given : {};
  const isAlone = Object.keys(rest).length === 0;
  if (typeof env === "string" && file === undefined && isAlone) return fromEnvironment(env);
  if (typeof file === "string" && env === undefined && isAlone) return fromFile(file, us);
  return { seen: hidden, expected: 'a string, { "env": NAME } or { "file": "/PATH" }' };
}

function fromEnvironment(name: string): string | Omit<Fault, "pointer"> {
  const value = process.env[name];
  return value || { seen: `{ "env": ${shown(name)} }`, expected: `a variable ${name} that is set and not empty` };
}

/** A secret is smaller. */
const MOST_BYTES = 64 * 1024;

function fromFile(file: string, us: TrustedUser): string | Omit<Fault, "pointer"> {
  const seen = `{ "file": ${shown(file)} }`;
  if (!path.isAbsolute(file)) return { seen, expected: "an absolute path" };
  try {
    using handle = RegularFile.of(openNamed(file), O_RDONLY);
    const byMode = exposures(file, handle.status(), us);
    const problems = byMode.length > 0 ? byMode : readersByList(handle, us);
    if (problems.length > 0) {
      const reasons = problems.map(({ problem }) => problem).join(" and ");
      return {
        seen: `${seen}: ${reasons}`,
        expected: `a file that only its owner can read: ${problems.map(({ remedy }) => remedy).join("; ")}`,
      };
    }
    const text = handle
      .read(MOST_BYTES)
      .toString()
      .replace(/\r?\n$/, "");
    return text === "" ? { seen: `${seen}, which is empty`, expected: "a secret in it" } : text;
  } catch (error) {
    return { seen: `${seen}: ${(error as Error).message}`, expected: "a file that can be read" };
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
