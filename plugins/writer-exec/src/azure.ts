import { readFile } from "node:fs/promises";
import { PluginError } from "./errors.js";
import type { Call, Hooks } from "./hook.js";

/**
 * VMSnapshotScriptPluginConfig.json. Meaning and exit codes as in the VMBackup extension (github.com/Azure/azure-linux-extensions,
 * VMBackup/main/ScriptRunner.py): 0 is success, 2 a warning. `continueBackupOnFailure` is holdstill's `policy`, and
 * `fsFreezeEnabled` its provider's business.
 */
interface Config {
  preScriptLocation: string;
  postScriptLocation: string;
  preScriptParams?: unknown[];
  postScriptParams?: unknown[];
  preScriptNoOfRetries?: number;
  postScriptNoOfRetries?: number;
  timeoutInSeconds?: number;
}

export async function azureHooks(file: string): Promise<Hooks> {
  const config = await readConfig(file);
  const freeze = callOf(config.preScriptLocation, config.preScriptParams, config.preScriptNoOfRetries, config);
  const thaw = callOf(config.postScriptLocation, config.postScriptParams, config.postScriptNoOfRetries, config);
  return { convention: "azure", list: [{ freeze, thaw, fail: thaw }], thawing: "same" };
}

function callOf(program: string, params: unknown[] = [], retries = 0, { timeoutInSeconds }: Config): Call {
  return {
    program,
    args: params.map(String),
    retries,
    warnings: [2],
    ...(timeoutInSeconds === undefined ? {} : { limitMs: timeoutInSeconds * 1000 }),
  };
}

async function readConfig(file: string): Promise<Config> {
  let config: unknown;
  try {
    config = JSON.parse(await readFile(file, "utf8"));
  } catch (cause) {
    throw invalid(file, `cannot be read: ${(cause as Error).message}`);
  }
  const wrong = findingsOf(config);
  if (wrong.length > 0) throw invalid(file, wrong.join(", "));
  return config as Config;
}

function findingsOf(config: unknown): string[] {
  if (typeof config !== "object" || config === null) return ["is not a JSON object"];
  const values = new Map(Object.entries(config));
  const findings: string[] = [];
  const check = (name: string, isRight: (value: unknown) => boolean, what: string): void => {
    if (!isRight(values.get(name))) findings.push(`${name} is not ${what}`);
  };
  for (const end of ["pre", "post"]) {
    check(`${end}ScriptLocation`, (value) => typeof value === "string" && value.startsWith("/"), "an absolute path");
    check(`${end}ScriptParams`, (value) => value === undefined || Array.isArray(value), "a list");
    check(`${end}ScriptNoOfRetries`, isCount, "a number of retries");
  }
  check("timeoutInSeconds", (value) => value === undefined || (isCount(value) && value !== 0), "a number of seconds");
  return findings;
}

function isCount(value: unknown): boolean {
  return value === undefined || (Number.isInteger(value) && (value as number) >= 0);
}

function invalid(file: string, what: string): PluginError {
  return new PluginError("HOOK_CONFIG", `${file}: ${what}`, "Fix the file. Azure Backup would not use it either.");
}
