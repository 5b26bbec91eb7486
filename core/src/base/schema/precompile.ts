/**
 * Part of `npm run build`: compiles the checks of our schemas into modules beside this one. Each process would need 100 to 200 ms
 * to compile those that it uses.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type Checks, metaSchema, modulesOf } from "./compile.js";
import { documents } from "./documents.js";

const { "contract.v1": contract, "service.v1": service, "command-line.v1": commandLine, ...whole } = documents;
const partsOf = ({ $id, $defs }: { $id: string; $defs: object }): Checks =>
  Object.fromEntries(Object.keys($defs).map((name) => [name, `${$id}#/$defs/${name}`]));
const modules: Record<string, Checks> = {
  ...Object.fromEntries(Object.entries(whole).map(([name, { $id }]) => [name, { whole: $id }])),
  "contract.v1": partsOf(contract),
  "service.v1": partsOf(service),
  "command-line.v1": partsOf(commandLine),
  "options-schema": { whole: metaSchema },
};

const folder = path.join(import.meta.dirname, "checks");
mkdirSync(folder, { recursive: true });
for (const [name, text] of await modulesOf(modules, Object.values(documents)))
  writeFileSync(path.join(folder, `${name}.cjs`), text);
