/**
 * Part of `npm run build`: the command line, the keeper, and the workers as a few files with what they share, in core/bundle/.
 * Node loads each of the 400 modules of core/dist/ in a separate step, which is a third of what a command takes.
 */
import { cpSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { build, type BuildOptions } from "esbuild";
import { pageScripts } from "#core/service/page/page-scripts.js";

const core = path.join(import.meta.dirname, "../..");
const repository = path.join(core, "..");
const from = path.join(core, "dist");
const to = path.join(core, "bundle");

/** What others import, by the names in package.json's `exports`. */
export const library = {
  ".": "index",
  "./client": "client",
  "./plugin": "host/contract/index",
  "./conformance": "conformance/index",
} as const;

/** With a native part, or started as modules of their own. */
export const external = ["koffi", "tinypool", "yaml"] as const;

/** What is started by its path. The installation finds its files from its own place. */
const entries = [
  "installation.js",
  "cli/main.js",
  ...Object.values(library).map((module) => `${module}.js`),
  "host/isolation/worker/main.js",
  "host/isolation/worker/process.js",
  ...readdirSync(path.join(from, "keeper/process"))
    .filter((file) => file.endsWith(".js"))
    .map((file) => `keeper/process/${file}`),
];

/** What is read from its place, and not imported. */
const copied = ["kit", ...pageScripts];

/** What is required from its place when it is needed: a file each, with what it requires. */
const checks = "base/schema/checks";

const common = {
  bundle: true,
  platform: "node",
  target: "node20",
  external: [...external],
  absWorkingDir: repository,
  logLevel: "warning",
  metafile: true,
} satisfies BuildOptions;

/** Which files it was made of, relative to the repository: for the notices of their licenses. */
export const inputsFile = path.join(to, "inputs.json");

export async function makeBundle(): Promise<void> {
  const { metafile } = await build({
    ...common,
    entryPoints: entries.map((entry) => path.join(from, entry)),
    outbase: from,
    outdir: to,
    splitting: true,
    format: "esm",
    // For what is CommonJS in the dependencies.
    banner: {
      js: 'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);',
    },
  });
  const required = await build({
    ...common,
    entryPoints: readdirSync(path.join(from, checks)).map((file) => path.join(from, checks, file)),
    outdir: path.join(to, checks),
    format: "cjs",
    outExtension: { ".js": ".cjs" },
  });
  for (const name of copied) cpSync(path.join(from, name), path.join(to, name), { recursive: true });

  // At the end: a command that runs meanwhile still finds its files.
  const made = new Set(Object.keys(metafile.outputs).map((file) => path.join(repository, file)));
  const stale = readdirSync(to, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => path.join(to, name))
    .filter((file) => !made.has(file) && file !== inputsFile);
  for (const file of stale) rmSync(file);
  const inputs = [...Object.keys(metafile.inputs), ...Object.keys(required.metafile.inputs)];
  writeFileSync(inputsFile, JSON.stringify(inputs));
}
