import { loadSettings } from "../base/config/load.js";
import { createContext, logFor } from "./context.js";
import { Engine } from "./engine.js";
import type { OpenOptions } from "./types.js";

/** Reads the config. @throws HoldstillError E_CONFIG_* */
export async function open(options: OpenOptions = {}): Promise<Engine> {
  const { config, cwd, env } = options;
  const settings = await loadSettings({
    ...(config === undefined ? {} : { file: config }),
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
  });
  return new Engine(createContext(settings, await logFor(settings, options)));
}
