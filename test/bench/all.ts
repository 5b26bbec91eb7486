import { abort } from "./abort.js";
import { cli } from "./cli.js";
import { hold } from "./hold.js";
import { recovery } from "./recovery.js";
import type { Bench } from "./samples.js";
import { scale } from "./scale.js";
import { volumes } from "./volumes.js";

export const all: readonly Bench[] = [hold, volumes, recovery, scale, abort, cli];
