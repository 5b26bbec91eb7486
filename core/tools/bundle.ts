/**
 * Part of `npm run build`: the command line, the keeper, and the workers as a few files with what they share, in core/bundle/.
 * Node loads each of the 400 modules of core/dist/ in a separate step, which is a third of what a command takes.
 */
import { cpSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { build } from "esbuild";

import { pageScripts } from "#core/service/page/page-scripts.js";

const core = path.join(import.meta.dirname, "../..");
const from = path.join(core, "dist");
const to = path.join(core, "bundle");

/** What is started by its path. The installation finds its files from its own place. */
const entries = [
  "installation.js",
  "cli/main.js",
  "host/isolation/worker/main.js",
  "host/isolation/worker/process.js",
  ...readdirSync(path.join(from, "keeper/process"))
    .filter((file) => file.endsWith(".js"))
    .map((file) => `keeper/process/${file}`),
];

/** What is read from its place, and not imported. */
const copied = ["kit", "base/schema/checks", ...pageScripts];

const { metafile } = await build({
  entryPoints: entries.map((entry) => path.join(from, entry)),
  outbase: from,
  outdir: to,
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  // With a native part, or started as modules of their own.
  external: ["koffi", "tinypool", "yaml"],
  // For what is CommonJS in the dependencies.
  banner: {
    js: 'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);',
  },
  logLevel: "warning",
  metafile: true,
});
for (const name of copied) cpSync(path.join(from, name), path.join(to, name), { recursive: true });

// At the end: a command that runs meanwhile still finds its files.
const made = new Set(Object.keys(metafile.outputs).map((file) => path.resolve(file)));
const stale = readdirSync(to, { withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map(({ name }) => path.join(to, name))
  .filter((file) => !made.has(file));
for (const file of stale) rmSync(file);
