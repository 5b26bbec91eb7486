import { preloadLibc } from "../../os/libc.js";
import { commandBackend } from "./backend-commands.js";
import type { Backend } from "./backend.js";
import { ioctlBackend } from "./backend-ioctl.js";
import type { BackendName } from "../section.js";

/** null: directly, where koffi can be loaded. */
export function chooseBackend(means: BackendName | null): Backend {
  if (means === "commands") return commandBackend();
  try {
    preloadLibc();
    return ioctlBackend();
  } catch (error) {
    if (means === "ioctl") throw error;
    return commandBackend();
  }
}
