import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { HoldstillError } from "../../base/errors/error.js";
import { installation } from "../../installation.js";

export type Language = "javascript" | "typescript" | "python" | "go";

export interface ScaffoldOptions {
  kind: "writer" | "provider";
  /** As in the manifest. */
  name: string;
  language: Language;
  /** The folder that is made. */
  dir: string;
}

/** The files that a plugin is made of: a real plugin, which the tests run. */
const { template, kit } = installation;

/**
 * Makes a plugin that works, builds, and conforms, as a beginning.
 *
 * @returns the files, relative to the folder.
 * @throws HoldstillError E_USAGE if the name is not valid, or if the folder exists.
 */
export function createPlugin({ kind, name, language, dir }: ScaffoldOptions): string[] {
  if (!/^[a-z][a-z0-9-]{0,63}$/.test(name)) {
    const hint = "Lower case letters, digits and hyphens, beginning with a letter: writer-acme.";
    throw new HoldstillError("E_USAGE", { problem: `\`${name}\` cannot be the name of a plugin.`, hint });
  }
  if (existsSync(dir)) {
    const hint = "Choose another name, or run the command in another folder.";
    throw new HoldstillError("E_USAGE", { problem: `${dir} exists already.`, hint });
  }
  const files = filesIn[language](kind);
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(dir, file)), { recursive: true });
    writeFileSync(path.join(dir, file), text.replaceAll(/(writer|provider)-example/g, name));
    if (text.startsWith("#!")) chmodSync(path.join(dir, file), 0o755);
  }
  return Object.keys(files);
}

const read = (...names: string[]): string => readFileSync(path.join(template, ...names), "utf8");

type Kind = ScaffoldOptions["kind"];
const filesIn: { readonly [L in Language]: (kind: Kind) => Record<string, string> } = {
  javascript: inJavaScript,
  typescript: inTypeScript,
  python: (kind) => ({
    ...asProgram(kind, "python", "./main.py"),
    "main.py": read("python", `${kind}.py`),
    "holdstill_rpc.py": read("python", "holdstill_rpc.py"),
    "holdstill_contract.py": read("python", "holdstill_contract.py"),
  }),
  go: (kind) => ({
    ...asProgram(kind, "go", "./plugin"),
    "main.go": read("go", `${kind}.go`),
    "rpc.go": read("go", "rpc.go"),
    "contract.go": read("go", "contract.go"),
    "go.mod": read("go", "go.mod"),
  }),
};

/** What a plugin has in any language. */
function inAny(kind: Kind, language: "javascript" | "python" | "go"): Record<string, string> {
  return {
    "plugin.json": read(kind, "plugin.json"),
    "conformance.json": read(kind, "conformance.json"),
    "README.md": read("common", `README.${kind}.md`) + read("common", `README.${language}.md`),
  };
}

function asProgram(kind: Kind, language: "python" | "go", main: string): Record<string, string> {
  const common = inAny(kind, language);
  const manifest = JSON.parse(common["plugin.json"] ?? "") as object;
  return { ...common, "plugin.json": pretty({ ...manifest, runtime: "executable", main }) };
}

function inJavaScript(kind: Kind): Record<string, string> {
  return {
    ...inAny(kind, "javascript"),
    "index.js": read(kind, "index.js"),
    "conformance.test.js": read("common", "conformance.test.js"),
    "package.json": read("common", "package.json"),
    ...kitFiles(),
  };
}

/** The kit as JavaScript with types, so that it is the same for both languages, and nothing has to be built. */
function kitFiles(): Record<string, string> {
  const names = readdirSync(kit).filter((name) => name.endsWith(".js") || name.endsWith(".d.ts"));
  return Object.fromEntries(names.map((name) => [`kit/${name}`, readFileSync(path.join(kit, name), "utf8")]));
}

function inTypeScript(kind: Kind): Record<string, string> {
  const { "index.js": _, ...common } = inJavaScript(kind);
  const manifest = JSON.parse(common["plugin.json"] ?? "") as object;
  const own = JSON.parse(common["package.json"] ?? "") as object;
  const forTypeScript = {
    files: ["dist", "kit", "plugin.json"],
    main: "./dist/index.js",
    scripts: { build: "tsc", test: "tsc && node --test conformance.test.js" },
    devDependencies: { "@types/node": "^20.19.0", typescript: ">=5.9" },
  };
  return {
    ...common,
    "plugin.json": pretty({ ...manifest, main: "./dist/index.js" }),
    "package.json": pretty({ ...own, ...forTypeScript }),
    "tsconfig.json": read("typescript", "tsconfig.json"),
    "src/index.ts": read("typescript", `${kind}.ts`),
  };
}

const pretty = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
