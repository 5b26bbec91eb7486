import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { compile, type JSONSchema } from "json-schema-to-typescript";
import { commandLinePage } from "./json-page.js";
import { optionTables } from "./option-tables.js";
import { contractPage } from "./contract-page.js";
import { etcdMessages } from "./etcd-messages.js";
import { goTypes } from "./go-types.js";
import { methodTable } from "./method-table.js";
import { pythonTypes } from "./python-types.js";

const root = path.resolve(import.meta.dirname, "../../..");
const folder = path.join(root, "schemas");
const template = path.join(root, "core/template");
const banner = "// Generated from schemas/ by `npm run generate`. Do not edit: change the schema.";

/** The text of every generated file, by absolute path: what should be on disk. */
export async function generated(): Promise<Record<string, string>> {
  const names = readdirSync(folder).filter((name) => name.endsWith(".schema.json"));
  return {
    [path.join(root, "core/src/base/schema/types.ts")]: await types(names),
    [path.join(root, "core/src/cluster/etcd/messages.ts")]: etcdMessages(root),
    [path.join(root, "docs/contract.md")]: contractPage(),
    [path.join(root, "docs/json.md")]: commandLinePage(),
    ...optionTables(path.join(root, "plugins")),
    ...inOtherLanguages(),
  };
}

/** The table of methods, what `plugins new --lang` copies of it, and the copies in the examples. */
function inOtherLanguages(): Record<string, string> {
  const table = methodTable();
  const texts = {
    python: {
      "holdstill_contract.py": pythonTypes(table),
      "holdstill_rpc.py": readFileSync(path.join(template, "python/holdstill_rpc.py"), "utf8"),
    },
    go: { "contract.go": goTypes(table), "rpc.go": readFileSync(path.join(template, "go/rpc.go"), "utf8") },
  };
  const files = Object.entries(texts).flatMap(([language, all]) =>
    [path.join(template, language), path.join(root, `core/examples/provider-array-${language}`)].flatMap((to) =>
      Object.entries(all).map(([name, text]) => [path.join(to, name), text] as const),
    ),
  );
  return {
    [path.join(folder, "contract-methods.v1.json")]: `${JSON.stringify(table, null, 2)}\n`,
    ...Object.fromEntries(files),
  };
}

/** One wrapper that refers to every schema, so that a type used by several is declared once. */
async function types(names: string[]): Promise<string> {
  const wrapper: JSONSchema = {
    title: "AllSchemas",
    type: "object",
    additionalProperties: false,
    properties: Object.fromEntries(names.map((name) => [name.replace(/\..*/, ""), { $ref: name }])),
  };
  return compile(wrapper, "AllSchemas", {
    cwd: folder + path.sep,
    bannerComment: banner,
    additionalProperties: false,
    ignoreMinAndMaxItems: true,
    $refOptions: { resolve: { file: { read: ({ url }: { url: string }) => withoutNotesOnRefs(url) } } },
    style: { printWidth: 120 },
  });
}

/** A description beside a `$ref` would make the compiler declare the same type once more, under a numbered name. */
function withoutNotesOnRefs(url: string): string {
  const text = readFileSync(path.join(folder, path.basename(url)), "utf8");
  return JSON.stringify(JSON.parse(text, (_, value: unknown) => (isNotedRef(value) ? { $ref: value.$ref } : value)));
}

function isNotedRef(value: unknown): value is { $ref: string } {
  return typeof value === "object" && value !== null && "$ref" in value && typeof value.$ref === "string";
}
