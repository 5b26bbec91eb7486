import { abort } from "./abort.js";
import { cli } from "./cli.js";
import { hold } from "./hold.js";
import { recovery } from "./recovery.js";
import type { Bench } from "./samples.js";
import { scale } from "./scale.js";

export const all: readonly Bench[] = [hold, recovery, scale, abort, cli];
