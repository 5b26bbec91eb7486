/**
 * Finds and reads the config. The only importer of cosmiconfig.
 *
 * Its public entry first loads and runs its own options, among others from `.config/config.js` in the current folder. In a tool
 * for root, the owner of that folder would become root. The class behind the entry does not do this, so the version is pinned.
 */
import { constants } from "node:fs";
import { access, lstat, stat } from "node:fs/promises";
import path from "node:path";
import { Explorer } from "cosmiconfig/dist/Explorer.js";
import type { Finding } from "../schema/types.js";
import { HoldstillError } from "../errors/error.js";
import { place } from "../schema/findings.js";
import { validate } from "../schema/validate.js";
import type { TrustProblem } from "../errors/details.js";
import { type TrustedUser, trustedUser, ownershipProblemsOfPath } from "../trust/ownership.js";
import { parseText, type ParsedDocument } from "./document.js";
import { semanticFindings } from "./check-semantics.js";
import { lockFileBeside, settingsOf, xdg, type Settings, type ConfigContext } from "./settings.js";

const names = ["holdstill.yaml", "holdstill.yml", "holdstill.json"];

export interface ConfigSource extends Partial<ConfigContext> {
  /** A file that the user named; relative to `cwd`. */
  file?: string;
  /** Folders that are searched if the file is not named. Default: `cwd`, the user's config folder, /etc/holdstill. */
  folders?: string[];
  /** What lets another user change a config that was found. Default: by owner and mode alone, without access control lists. */
  problemsOf?: (file: string, who: TrustedUser) => Promise<TrustProblem[]>;
}

/**
 * The settings from the named config file (`file`, then HOLDSTILL_CONFIG), else from the first that is found, else the defaults.
 *
 * @throws HoldstillError E_CONFIG_NOT_FOUND, E_CONFIG_UNREADABLE, E_CONFIG_UNTRUSTED, or E_CONFIG_INVALID with all errors.
 */
export async function loadSettings(source: ConfigSource = {}): Promise<Settings> {
  const { cwd = process.cwd(), env = process.env, problemsOf = ownershipProblemsOfPath } = source;
  const named = source.file ?? (env.HOLDSTILL_CONFIG || undefined);
  const folders = source.folders ?? [
    cwd,
    path.join(xdg(env, "XDG_CONFIG_HOME", ".config"), "holdstill"),
    "/etc/holdstill",
  ];
  const read = named === undefined ? await search(folders, problemsOf) : await load(path.resolve(cwd, named));
  if (read === null) return settingsOf({}, null, () => undefined, { cwd, env });

  const { file, parsed } = read;
  const checked = validate("config", parsed.value, { file, lineOf: parsed.lineOf });
  const faults = allFaults(file, parsed, checked.ok ? [] : checked.findings);
  if (!checked.ok || faults.length > 0) throw new HoldstillError("E_CONFIG_INVALID", { findings: faults });
  const settings = settingsOf(checked.value, file, parsed.lineOf, { cwd, env });
  return { ...settings, lockFile: await existing(lockFileBeside(file)) };
}

function allFaults(file: string, { value, findings, lineOf }: ParsedDocument, wrong: Finding[]): Finding[] {
  if (value === undefined) return findings;
  return [...findings, ...wrong, ...semanticFindings(value).map((fault) => place(fault, { file, lineOf }))];
}

interface Read {
  file: string;
  parsed: ParsedDocument;
}

const explorer = new Explorer({
  moduleName: "holdstill",
  searchPlaces: names,
  searchStrategy: "none",
  loaders: { default: parseText },
  ignoreEmptySearchPlaces: false,
  cache: false,
  mergeImportArrays: false,
  mergeSearchPlaces: false,
  metaConfigFilePath: null,
  transform: (result) => result,
});

async function load(file: string): Promise<Read> {
  try {
    await refuseSpecial(file);
    return readOf(await explorer.load(file)) ?? { file, parsed: parseText(file, "") };
  } catch (error) {
    throw refusal(file, error);
  }
}

async function search(
  folders: readonly string[],
  problemsOf: NonNullable<ConfigSource["problemsOf"]>,
): Promise<Read | null> {
  for (const folder of folders) {
    const file = await firstIn(folder);
    if (file === null) continue;
    // Before it is opened: reading another user's file may take all memory, or never end.
    const problems = await problemsOf(file, await trustedUser());
    if (problems.length > 0) throw new HoldstillError("E_CONFIG_UNTRUSTED", { file, problems });
    return load(file);
  }
  return null;
}

function readOf(result: Awaited<ReturnType<Explorer["search"]>>): Read | null {
  if (result === null) return null;
  const file = result.filepath;
  return { file, parsed: result.isEmpty ? parseText(file, "") : (result.config as ParsedDocument) };
}

/** A file that cannot be read is not passed over: another config than the user expects would be used. */
async function firstIn(folder: string): Promise<string | null> {
  for (const file of names.map((name) => path.join(folder, name))) {
    try {
      await access(file, constants.R_OK);
      await refuseSpecial(file);
      return file;
    } catch (error) {
      if (!isAbsent(error)) throw refusal(file, error);
    }
  }
  return null;
}

/** A config is smaller, bytes. */
const MOST_BYTES = 4 * 1024 * 1024;

/** Reading a pipe without a writer would never end. */
async function refuseSpecial(file: string): Promise<void> {
  const found = await stat(file);
  if (!found.isFile()) throw new Error("it is not a regular file");
  if (found.size > MOST_BYTES) throw new Error(`it is larger than ${MOST_BYTES} bytes`);
}

async function existing(file: string): Promise<string | null> {
  return lstat(file).then(
    () => file,
    () => null,
  );
}

function refusal(file: string, error: unknown): HoldstillError {
  if (isAbsent(error)) return new HoldstillError("E_CONFIG_NOT_FOUND", { file });
  const { message: reason } = error as Error;
  return new HoldstillError("E_CONFIG_UNREADABLE", { file, reason }, { cause: error });
}

function isAbsent(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENOTDIR";
}
