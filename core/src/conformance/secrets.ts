import { valueAt } from "../base/schema/pointer.js";
import { secretsOf } from "../host/manifest/secrets.js";

export interface Secret {
  /** Of the option. */
  name: string;
  value: string;
}

/** Names that are taken for secrets even if the schema does not mark them as `writeOnly`. */
const secretName = /pass(word|phrase)|secret|token|credential/i;
/** A shorter text may be anywhere by chance. */
const SHORTEST = 4;

/** Secret values of the options: by their schema, and by their names. */
export function secretsIn(options: Readonly<Record<string, unknown>>, schema: unknown): Secret[] {
  const marked = secretsOf(schema ?? {}, { ...options }).flatMap((pointer) =>
    textsIn(valueAt(options, pointer), pointer.slice(pointer.lastIndexOf("/") + 1)),
  );
  // The name of a file that has the secret is none.
  const named = textsIn(options).filter(({ name }) => secretName.test(name) && !/file|path$/i.test(name));
  const all = [...marked, ...named].filter(({ value }) => value.length >= SHORTEST);
  return [...new Map(all.map((secret) => [secret.value, secret])).values()];
}

function textsIn(value: unknown, name = ""): Secret[] {
  if (typeof value === "string") return [{ name, value }];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => textsIn(inner, Array.isArray(value) ? name : key));
}

/** Whether the text has the secret, as it is or encoded. */
export function reveals(text: string, { value }: Secret): boolean {
  const bytes = Buffer.from(value);
  const forms = [
    value,
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value),
    bytes.toString("hex"),
    bytes.toString("base64").replace(/=+$/, ""),
    bytes.toString("base64url"),
  ];
  return forms.some((form) => text.includes(form));
}
