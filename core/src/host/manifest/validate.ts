import { stat } from "node:fs/promises";
import path from "node:path";
import { isProgram } from "../../os/exec/program.js";
import { readRegularText } from "../../base/config/regular-file.js";
import { parseText } from "../../base/config/document.js";
import { place, type Source } from "../../base/schema/findings.js";
import type { Finding, PluginManifest } from "../../base/schema/types.js";
import { compileOptions, type OptionsCheck } from "../../base/schema/options.js";
import { detectionFaults } from "./detection-faults.js";
import { validateOpenly } from "../../base/schema/validate.js";
import { isRange, isVersion } from "./versions.js";

/** A valid manifest, or what is wrong with it. */
export type ReadManifest =
  | {
      state: "valid";
      manifest: PluginManifest;
      checkOptions: OptionsCheck;
      /** Properties of a later version, or misspelt ones. They are ignored. */
      unknown: readonly Finding[];
    }
  | { state: "invalid"; findings: Finding[]; name?: string; version?: string; fallback?: true };

/** A manifest is smaller by far. */
const MOST_BYTES = 1024 * 1024;

/**
 * Reads and checks a plugin.json, and collects all errors. Never throws: one broken plugin must not hide the others.
 *
 * @param asked Names of the plugins that are used: the options schema of others is not compiled. null: all.
 */
export async function readManifest(file: string, asked: ReadonlySet<unknown> | null = null): Promise<ReadManifest> {
  let text: string;
  try {
    text = readRegularText(file, MOST_BYTES);
  } catch (error) {
    const finding = { file, pointer: "", seen: (error as Error).message, expected: "a manifest that can be read" };
    return { state: "invalid", findings: [finding] };
  }
  const { value, findings, lineOf } = parseText(file, text);
  if (value === undefined) return { state: "invalid", findings };

  const source: Source = { file, lineOf };
  const checked = validateOpenly("plugin-manifest", value, source);
  const {
    name,
    version,
    options = noOptions,
    engines,
    main,
    runtime,
    fallback,
  } = value as Partial<Record<keyof PluginManifest, unknown>>;
  const wrong = [
    ...findings,
    ...(checked.ok ? [] : checked.findings),
    ...versionFaults(version).map((fault) => place(fault, source)),
    ...rangeFaults(engines).map((fault) => place(fault, source)),
    ...(await entryFaults(main, runtime, path.dirname(file))).map((fault) => place(fault, source)),
    ...(checked.ok ? detectionFaults(checked.value) : []).map((fault) => place(fault, source)),
  ];
  const when = asked === null || asked.has(name) || fallback === true ? "now" : "when used";
  const compiled = isObject(options) ? compileOptions(options, when) : undefined;
  if (compiled?.ok === false) {
    wrong.push(place({ pointer: "/options", seen: compiled.reason, expected: "a JSON Schema (2020-12)" }, source));
  }
  if (checked.ok && compiled?.ok && wrong.length === 0) {
    return { state: "valid", manifest: checked.value, checkOptions: compiled.check, unknown: checked.unknown };
  }
  return {
    state: "invalid",
    findings: wrong,
    ...(typeof name === "string" ? { name } : {}),
    ...(typeof version === "string" ? { version } : {}),
    ...(fallback === true ? { fallback } : {}),
  };
}

/** For a manifest without `options`: options in the config are an error. */
const noOptions = { type: "object", additionalProperties: false, properties: {} };

type Fault = Pick<Finding, "pointer" | "seen" | "expected">;

function versionFaults(version: unknown): Fault[] {
  if (typeof version !== "string" || isVersion(version)) return [];
  return [{ pointer: "/version", seen: JSON.stringify(version), expected: "a semantic version such as 1.0.0" }];
}

function rangeFaults(engines: unknown): Fault[] {
  const range = isObject(engines) ? engines.holdstill : undefined;
  if (typeof range !== "string" || isRange(range)) return [];
  const expected = "a range of versions such as >=0.1.0 <1.0.0";
  return [{ pointer: "/engines/holdstill", seen: JSON.stringify(range), expected }];
}

async function entryFaults(main: unknown, runtime: unknown, dir: string): Promise<Fault[]> {
  if (typeof main !== "string") return [];
  const file = path.join(dir, main);
  const isThere = runtime === "executable" ? isProgram(file) : (await stat(file).catch(() => null))?.isFile() === true;
  const expected = runtime === "executable" ? "a file with the permission to execute it" : "a file";
  return isThere
    ? []
    : [{ pointer: "/main", seen: JSON.stringify(main), expected: `${expected}; is the plugin built?` }];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
