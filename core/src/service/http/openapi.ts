import { readSchema } from "../../base/schema/read-schema.js";
import type { SchemaName } from "../../base/schema/validate.js";
import { ownVersion } from "../../installation.js";
import type { Parameter, Route } from "./route.js";

interface Schema {
  readonly [key: string]: unknown;
}

/** The OpenAPI 3.1 description of the API, from the table of routes and from schemas/. */
export function openApi(routes: readonly Route[]): Schema {
  const components = new Components();
  const paths: Record<string, Record<string, Schema>> = {};
  for (const one of routes) (paths[one.path] ??= {})[one.method.toLowerCase()] = operationOf(one, components);
  return {
    openapi: "3.1.0",
    info: {
      title: "holdstill",
      version: ownVersion(),
      description:
        "HTTP over a Unix socket. The kernel reports the user of each connection, and the config grants rights to users.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "http://localhost" }],
    // The kernel reports the user: a request has nothing to prove it.
    security: [],
    paths,
    components: { schemas: components.schemas },
  };
}

function operationOf({ method, path, summary, right, body, query, headers, answers }: Route, on: Components): Schema {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  const parameters = [...inPath, ...parametersOf("query", query), ...parametersOf("header", headers)];
  const problem = { "application/problem+json": { schema: on.refer("service#/$defs/problem") } };
  return {
    operationId: idOf(method, path),
    summary,
    description: right === null ? "Requires no right." : `Requires the right ${right}.`,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === null
      ? {}
      : { requestBody: { required: true, content: { "application/json": { schema: on.refer(body) } } } }),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, name]) => [status, answerOf(name, Number(status), on)]),
      ),
      "4XX": { description: "An error of the request: nothing was begun, or the error has what was", content: problem },
      "5XX": { description: "An error of the service, of a plugin, or of storage", content: problem },
    },
  };
}

function answerOf(name: SchemaName | null, status: number, on: Components): Schema {
  const description = status === 202 ? "Accepted. It continues after the response" : "Done";
  if (name !== null) return { description, content: { "application/json": { schema: on.refer(name) } } };
  const schema = { ...on.refer("event"), description: "Each event's data." };
  return { description: "Server-sent events", content: { "text/event-stream": { schema } } };
}

function parametersOf(where: "query" | "header", all: Readonly<Record<string, Parameter>> = {}): Schema[] {
  return Object.entries(all).map(([name, { about, pattern }]) => ({
    name,
    in: where,
    description: about,
    schema: { type: "string", pattern },
  }));
}

/** `POST /v1/sets/{set}/expose` is postSetsExpose, `GET /v1/sets/{set}` getSet. */
function idOf(method: string, path: string): string {
  const words = path.split("/").slice(2);
  const isOne = words.at(-1)?.startsWith("{") === true;
  const names = words.filter((word) => !word.startsWith("{"));
  const joined = names.flatMap((word) => word.split("-")).map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  const text = joined.join("");
  return `${method.toLowerCase()}${isOne ? text.replace(/s$/, "") : text}`;
}

const prefix = "https://holdstill.invalid/schemas/";

/** The schemas that the calls refer to, by title: generators of clients read only this kind of reference. */
class Components {
  readonly schemas: Record<string, Schema> = {};

  refer(name: SchemaName): Schema {
    const [document, pointer = ""] = name.split("#");
    return this.#component(`${document}.v1.schema.json`, pointer);
  }

  #component(file: string, pointer: string): Schema {
    return this.#named(find(file, pointer), file);
  }

  #named(schema: Schema, file: string): Schema {
    const { title } = schema;
    // A schema without a title is small, and is inserted where it is used.
    if (typeof title !== "string") return this.#inline(schema, file);
    if (!(title in this.schemas)) {
      this.schemas[title] = {};
      this.schemas[title] = this.#inline(schema, file);
    }
    return { $ref: `#/components/schemas/${title}` };
  }

  #inline(value: Schema, file: string): Schema {
    const { $ref: reference, ...rest } = value;
    if (typeof reference === "string") {
      const [other = "", pointer = ""] = reference.split("#");
      return { ...this.#component(other === "" ? file : other.replace(prefix, ""), pointer), ...rest };
    }
    const kept = Object.entries(value).filter(([key]) => !["$schema", "$id", "$defs", "title", "tsType"].includes(key));
    return Object.fromEntries(
      kept.map(([key, part]) => [
        key,
        key === "properties" ? this.#each(part as Schema, file) : this.#walk(part, file),
      ]),
    );
  }

  /** Names of properties are not keywords: one of them is `title`. */
  #each(properties: Schema, file: string): Schema {
    return Object.fromEntries(Object.entries(properties).map(([name, part]) => [name, this.#walk(part, file)]));
  }

  #walk(part: unknown, file: string): unknown {
    if (Array.isArray(part)) return part.map((one) => this.#walk(one, file));
    return typeof part === "object" && part !== null ? this.#named(part as Schema, file) : part;
  }
}

function find(file: string, pointer: string): Schema {
  let found = readSchema(file) as unknown as Schema;
  for (const step of pointer.split("/").slice(1)) found = found[step] as Schema;
  return found;
}
