import { preloadLibc } from "../system/libc.js";
import { commandHands } from "./fallback.js";
import type { Hands } from "./grip.js";
import { directHands } from "./ioctl.js";
import type { Means } from "./section.js";

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
