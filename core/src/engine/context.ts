import { loadSettings } from "../base/config/load.js";
import type { Settings } from "../base/config/settings.js";
import type { RootLog } from "../base/log/log.js";
import { pathProblems } from "../host/trust/access-list.js";
import { Records } from "../store/records.js";
import type { CatalogContext, OpenOptions } from "./types.js";

/** Reads the config, and opens the log. @throws HoldstillError E_CONFIG_* */
export async function openContext(options: OpenOptions): Promise<CatalogContext> {
  const { config, cwd, env } = options;
  const settings = await loadSettings({
    problemsOf: pathProblems,
    ...(config === undefined ? {} : { file: config }),
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
  });
  return contextOf(settings, await logFor(settings, options));
}

export function contextOf(settings: Settings, log: RootLog | null): CatalogContext {
  return { requester: null, settings, log, store: new Records(settings.stateDir, log) };
}

async function logFor({ log: { level, file } }: Settings, { log }: OpenOptions): Promise<RootLog | null> {
  if (level === "silent" || (file === null && log === undefined)) return null;
  const { createLog } = await import("../base/log/log.js");
  return createLog({ level, ...(file === null ? {} : { file }), stderr: log === "stderr" });
}
