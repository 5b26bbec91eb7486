/**
 * `npm run package`: the npm package `holdstill`, with all that it needs but three dependencies, in packaging/dist/holdstill/, and its
 * archive beside it, with the Debian packages, a bill of materials, and SHA256SUMS. The folders in it are those of the repository, so that the installation finds its files
 * in the same way.
 * Arguments: another folder than packaging/dist/; `npm`: without the Debian packages.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { build } from "esbuild";
import { external, inputsFile, library } from "./bundle.js";
import { makeNodePackage } from "./debian/node.js";
import { makeProgramPackage } from "./debian/program.js";
import { noticesOf } from "./notices.js";
import { billOfMaterials } from "./sbom.js";

const repository = path.join(import.meta.dirname, "../../..");
const built = path.resolve(process.argv[2] ?? path.join(repository, "packaging/dist"));
const to = path.join(built, "holdstill");

rmSync(to, { recursive: true, force: true });
mkdirSync(to, { recursive: true });

const inputs = JSON.parse(readFileSync(inputsFile, "utf8")) as string[];
const copied = ["LICENSE", "README.md", "CHANGELOG.md", "SECURITY.md", "docs", "schemas", "packaging/udev"];
const ofCore = ["bin", "bundle", "template", "examples", "package.json"];
for (const name of [...copied, ...ofCore.map((one) => `core/${one}`)]) copy(name);
for (const name of ["page.html", "page.css"]) copy(`core/src/service/page/browser/${name}`);
// What a plugin or a requester in TypeScript is checked against.
for (const name of filesOf("core/dist")) if (name.endsWith(".d.ts") && !name.includes("/kit/")) copy(name);

const plugins = readdirSync(path.join(repository, "plugins")).filter((name) => name !== "kit");
for (const name of plugins) inputs.push(...(await makePlugin(name)));

const { version, license, description, engines } = manifestOf("core");
const dependencies = Object.fromEntries(external.map((name) => [name, manifestOf(`node_modules/${name}`).version]));
const exported = Object.fromEntries(
  Object.entries(library).map(([name, module]) => [
    name,
    { types: `./core/dist/${module}.d.ts`, default: `./core/bundle/${module}.js` },
  ]),
);
const manifest = {
  name: "holdstill",
  version,
  description,
  license,
  type: "module",
  bin: { holdstill: "./core/bin/holdstill.cjs" },
  exports: { ...exported, "./package.json": "./package.json" },
  dependencies,
  engines,
};
writeFileSync(path.join(to, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
writeFileSync(path.join(to, "THIRD-PARTY-NOTICES"), noticesOf(repository, inputs));
const archive = execFileSync("npm", ["pack", "--silent", "--pack-destination", built], { cwd: to, encoding: "utf8" });
const bill = `holdstill-${version}.cdx.json`;
writeFileSync(path.join(built, bill), billOfMaterials(repository, { name: "holdstill", version }, inputs, external));
const packages = [
  archive.trim(),
  bill,
  ...(process.argv[3] === "npm" ? [] : [makeProgramPackage(repository, to, built), makeNodePackage(repository, built)]),
].map((file) => path.basename(file));
writeFileSync(
  path.join(built, "SHA256SUMS"),
  packages.map((file) => `${sha256(path.join(built, file))}  ${file}\n`).join(""),
);
console.log(packages.join("\n"));

function sha256(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}

/** One file for each plugin, which needs nothing of the host and no package. @returns What it was made of. */
async function makePlugin(name: string): Promise<string[]> {
  const from = path.join(repository, "plugins", name);
  for (const file of readdirSync(from))
    if (/\.(json|proto|py|md)$/.test(file) && !file.startsWith("tsconfig")) copy(`plugins/${name}/${file}`);
  const { metafile } = await build({
    entryPoints: [path.join(from, "dist/index.js")],
    outfile: path.join(to, "plugins", name, "dist/index.js"),
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    // The optional native part of the package `pg`.
    external: ["pg-native"],
    banner: {
      js: 'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);',
    },
    absWorkingDir: repository,
    logLevel: "warning",
    metafile: true,
  });
  return Object.keys(metafile.inputs);
}

function copy(name: string): void {
  cpSync(path.join(repository, name), path.join(to, name), { recursive: true });
}

function filesOf(folder: string): string[] {
  const all = readdirSync(path.join(repository, folder), { recursive: true, encoding: "utf8" });
  return all.map((name) => path.join(folder, name));
}

interface Manifest {
  version: string;
  license: string;
  description: string;
  engines: Record<string, string>;
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(path.join(repository, folder, "package.json"), "utf8")) as Manifest;
}
