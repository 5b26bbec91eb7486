import { preloadLibc } from "../../os/libc.js";
import { commandHands } from "./backend-commands.js";
import type { Hands } from "./backend.js";
import { directHands } from "./backend-ioctl.js";
import type { Means } from "../section.js";

/** null: directly, where koffi can be loaded. */
export function chooseHands(means: Means | null): Hands {
  if (means === "commands") return commandHands();
  try {
    preloadLibc();
    return directHands();
  } catch (error) {
    if (means === "ioctl") throw error;
    return commandHands();
  }
}
