import { loadSettings } from "../base/config/load.js";
import { benchOf, logFor } from "./context.js";
import { Requester } from "./engine.js";
import type { OpenOptions } from "./types.js";

/** Reads the config. @throws HoldstillError E_CONFIG_* */
export async function open(options: OpenOptions = {}): Promise<Requester> {
  const { config, cwd, env } = options;
  const settings = await loadSettings({
    ...(config === undefined ? {} : { file: config }),
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
  });
  return new Requester(benchOf(settings, await logFor(settings, options)));
}
