/** The types that the method table refers to, in a form that can be written in any language. */
import { readFileSync } from "node:fs";
import path from "node:path";
import type { MethodTable } from "./method-table.js";
import type { Schema } from "./schema-values.js";

const folder = path.resolve(import.meta.dirname, "../../../schemas");

export type Type =
  | { is: "any" | "string" | "integer" | "number" | "boolean" | "nothing" }
  | { is: "choice"; of: readonly string[] }
  | { is: "list" | "map" | "nullable"; of: Type }
  | { is: "named"; name: string };

export interface Field {
  name: string;
  type: Type;
  /** by-some: a branch of a union requires it, and it may be an empty list there. */
  required: "always" | "by-some" | "never";
  doc: string;
}

/** A record, or another name for a type. */
export type NamedType = { name: string; doc: string } & ({ fields: Field[] } | { alias: Type });

/** Collects the types of schemas, and all that these refer to. */
export class TypeModel {
  readonly types = new Map<string, NamedType>();
  readonly #documents = new Map<string, Schema>();

  constructor(table: MethodTable) {
    this.#documents.set("", table);
  }

  /** The types of what is exchanged beside the methods. */
  addMessages({ toPlugin, toHost, error }: MethodTable): void {
    const { initialize } = toPlugin.requests;
    const requests = Object.values(toHost.requests).flatMap(({ params, result }) => [params, result]);
    const notifications = Object.values(toHost.notifications).map(({ params }) => params);
    const all = [initialize.params, initialize.result, toPlugin.context, error.data, ...requests, ...notifications];
    for (const schema of all) this.typeOf(schema, "");
  }

  /** @param owner Gives its name to a record that has none. `file`: what references without a file refer to. */
  typeOf(schema: Schema, owner: string, file = ""): Type {
    if (schema.$ref !== undefined) return this.#referred(schema.$ref, file);
    if (schema.title !== undefined) return this.#named(schema.title, schema, file);
    return this.#plain(schema, owner, file);
  }

  #referred(ref: string, file: string): Type {
    const [target = "", pointer = ""] = ref.split("#");
    const at = target === "" ? file : target;
    const parts = pointer.split("/").slice(1);
    const found = parts.reduce<unknown>(
      (value, part) => (value as Record<string, unknown>)[part],
      this.#document(at),
    ) as Schema;
    return this.typeOf(found, parts.at(-1) ?? at, at);
  }

  #named(title: string, schema: Schema, file: string): Type {
    if (title === "Nothing") return { is: "nothing" };
    if (Array.isArray(schema.type)) return { is: "any" };
    const name = title.replaceAll(/\W/g, "");
    if (!this.types.has(name)) {
      const doc = schema.description ?? "";
      // Types may refer to themselves.
      this.types.set(name, { name, doc, fields: [] });
      const fields = this.#fieldsOf(schema, name, file);
      this.types.set(name, {
        name,
        doc,
        ...(fields === null ? { alias: this.#plain(schema, name, file) } : { fields }),
      });
    }
    return { is: "named", name };
  }

  #plain(schema: Schema, owner: string, file: string): Type {
    const { type, items, enum: allowed, const: only, anyOf, additionalProperties } = schema;
    if (allowed !== undefined) return { is: "choice", of: allowed.map(String) };
    if (only !== undefined) return typeof only === "string" ? { is: "choice", of: [only] } : { is: "integer" };
    const [first, ...others] = (anyOf ?? []).filter((one) => one.type !== "null");
    if (first !== undefined && others.length === 0) return nullable(this.typeOf(first, owner, file));
    if (Array.isArray(type)) {
      const [one, ...more] = type.filter((name) => name !== "null");
      return one === undefined || more.length > 0
        ? { is: "any" }
        : nullable(this.#plain({ ...schema, type: one }, owner, file));
    }
    if (type === "array")
      return { is: "list", of: items === undefined ? { is: "any" } : this.typeOf(items, owner, file) };
    if (schema.properties !== undefined) return this.#named(owner, schema, file);
    if (type === "object")
      return {
        is: "map",
        of: typeof additionalProperties === "object" ? this.typeOf(additionalProperties, owner, file) : { is: "any" },
      };
    return type === "string" || type === "integer" || type === "number" || type === "boolean"
      ? { is: type }
      : { is: "any" };
  }

  /** Of a record; a union of records becomes one that has the fields of all. null: it is not a record. */
  #fieldsOf(schema: Schema, name: string, file: string): Field[] | null {
    const branches = schema.oneOf ?? schema.anyOf ?? [schema];
    if (branches.some(({ properties }) => properties === undefined)) return null;
    const names = new Set(branches.flatMap(({ properties = {} }) => Object.keys(properties)));
    return [...names]
      .filter((field) => field !== "$schema")
      .map((field): Field => {
        const found = branches.flatMap(({ properties = {} }) => properties[field] ?? []);
        const types = found.map((one) => this.typeOf(one, `${name}${upper(field)}`, file));
        return {
          name: field,
          type: united(types),
          required: requiredBy(branches, field),
          doc: found.map(({ description = "" }) => description).find((text) => text !== "") ?? "",
        };
      });
  }

  #document(file: string): Schema {
    const known = this.#documents.get(file);
    if (known !== undefined) return known;
    const read = JSON.parse(readFileSync(path.join(folder, file), "utf8")) as Schema;
    this.#documents.set(file, read);
    return read;
  }
}

function requiredBy(branches: readonly Schema[], field: string): Field["required"] {
  const requiring = branches.filter(({ required = [] }) => required.includes(field));
  if (requiring.length === branches.length) return "always";
  return requiring.some(({ properties = {} }) => mayBeEmptyList(properties[field])) ? "by-some" : "never";
}

const mayBeEmptyList = (schema: Schema | undefined): boolean =>
  schema?.type === "array" && schema.minItems === undefined;

const nullable = (type: Type): Type => (type.is === "any" ? type : { is: "nullable", of: type });

/** The type of a field that several branches of a union have. */
function united(types: readonly Type[]): Type {
  const choices = types.flatMap((type) => (type.is === "choice" ? type.of : []));
  return types.every(({ is }) => is === "choice")
    ? { is: "choice", of: [...new Set(choices)] }
    : (types[0] ?? { is: "any" });
}

/** As the name of a type: per-volume becomes PerVolume. Brackets and bars are kept. */
export const upper = (name: string): string =>
  name.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
