/** Where the files of this installation are, and which version they are. No other file knows its own place. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const at = (place: string): URL => new URL(place, import.meta.url);

/** Semantic version of this host, from its own package.json. */
export function ownVersion(): string {
  return ownManifest().version;
}

/** The words that start holdstill, for units: those of its package if this has some, which are the same with another Node.js. */
export function ownProgram(): string[] {
  const { program } = ownManifest();
  return program === undefined ? [process.execPath, path.resolve(process.argv[1] ?? "holdstill")] : [program];
}

const ownManifest = (): { version: string; program?: string } =>
  JSON.parse(readFileSync(at("../package.json"), "utf8")) as { version: string; program?: string };

/** The contract versions that this host speaks. */
export const protocols: readonly number[] = [1];

/** Where packages of other vendors install plugins. */
export const packagedPlugins = "/usr/lib/holdstill/plugins";

/** Absolute paths. */
export const installation = {
  /** All compiled modules of the core. */
  modules: fileURLToPath(at(".")),
  /** The files that `plugins new` copies. */
  template: fileURLToPath(at("../template")),
  /** What plugins share, compiled; `plugins new` copies it as well. */
  kit: fileURLToPath(at("./kit")),
  /** What a browser gets beside modules. */
  page: fileURLToPath(at("../src/service/page/browser")),
  /** JSON Schemas, one `NAME.v1.schema.json` each. */
  schemas: fileURLToPath(at("../../schemas")),
  /** The plugins of this version. */
  bundledPlugins: fileURLToPath(at("../../plugins")),
} as const;
