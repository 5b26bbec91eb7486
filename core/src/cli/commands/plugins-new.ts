import path from "node:path";
import { command } from "../parse/command.js";
import { UsageError } from "../parse/usage-error.js";
import { print, printDocument } from "../terminal/output.js";

const kinds = ["writer", "provider"] as const;
const languages = ["javascript", "typescript", "python", "go"] as const;

export const pluginsNew = command({
  about:
    "Makes a folder NAME with a small working plugin, which conforms to the contract. The writer is for programs that use a lock file, and the provider copies. Change it into your plugin.",
  operands: [{ name: kinds.join("|") }, { name: "NAME" }],
  options: {
    lang: { type: "text", choices: languages, about: "the language of the plugin; default: javascript" },
    ts: { type: "flag", about: "the same as --lang typescript" },
  },
  examples: [
    { line: "holdstill plugins new writer writer-acme", does: "./writer-acme, in plain JavaScript" },
    { line: "holdstill plugins new provider acme-array --ts", does: "./acme-array, in TypeScript" },
    { line: "holdstill plugins new provider acme-array --lang python", does: "a program, with nothing of JavaScript" },
  ],
  async run({ operands: [asked = "", name = ""], values, form, quiet }) {
    const kind = kinds.find((one) => one === asked);
    if (kind === undefined) {
      const hint = "Write `holdstill plugins new writer NAME` or `holdstill plugins new provider NAME`.";
      throw new UsageError(`Unknown kind of plugin \`${asked}\`.`, hint, { word: asked, known: kinds });
    }
    const { createPlugin } = await import("../../host/scaffold/create.js");
    const dir = path.resolve(name);
    const language = values.lang ?? (values.ts ? "typescript" : "javascript");
    const files = createPlugin({ kind, name, language, dir });
    if (form === "json") printDocument("plugins-new", { dir, kind, name, language, files });
    else if (quiet) print([dir]);
    else print([`Made ${dir}: ${files.join(", ")}.`, `→ ${next[language](name)}`]);
    return 0;
  },
});

const check = (name: string): string => `holdstill plugins check ${name}`;
/** What the author does first. */
const next: Record<(typeof languages)[number], (name: string) => string> = {
  javascript: check,
  typescript: (name) => `cd ${name} && npm install && npm test`,
  python: check,
  go: (name) => `(cd ${name} && go build -o plugin .) && ${check(name)}`,
};
