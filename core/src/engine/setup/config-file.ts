import { existsSync } from "node:fs";
import path from "node:path";
import { xdg } from "../../base/config/settings.js";
import { HoldstillError } from "../../base/errors/error.js";
import { makeFolders } from "../../store/make-folders.js";
import { syncDir, writeDurably } from "../../store/state-directory.js";

/** The config file of this user, if the command line names none. */
export function usualFile(env: NodeJS.ProcessEnv = process.env): string {
  const folder = process.geteuid?.() === 0 ? "/etc" : xdg(env, "XDG_CONFIG_HOME", ".config");
  return path.join(folder, "holdstill", "holdstill.yaml");
}

/** @throws HoldstillError E_USAGE if the file exists: a config is never changed. */
export function refuseExisting(file: string): void {
  if (!existsSync(file)) return;
  const problem = `The config ${file} exists already.`;
  const hint = "`holdstill init --print` shows what would be written.";
  throw new HoldstillError("E_USAGE", { problem, hint });
}

/** @throws HoldstillError E_USAGE if the file exists */
export function writeConfig(file: string, text: string): void {
  refuseExisting(file);
  makeFolders(path.dirname(file), 0o755);
  writeDurably(file, text);
  syncDir(path.dirname(file));
}
