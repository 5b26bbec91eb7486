/**
 * Does the last of a dead keeper's work: releases what its ledger says may be held, and nothing else. Started by the keeper's
 * guardian, by the core, or by `recover`; whichever of them comes first does it. Argument: the ledger. Tells on stdout how it went.
 */
import { writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { flockExclusive } from "../../os/libc.js";
import { chooseHands } from "./choose-backend.js";
import { Haste } from "./rcu-expedited.js";
import { Holding } from "./critical-section.js";
import { Ledger } from "../hold-register.js";
import type { SectionReport } from "../section.js";
import { takeShelter } from "./hardening.js";
import { type Answer, encode } from "../wire.js";

function tell(answer: Answer): void {
  try {
    writeSync(1, encode(answer));
  } catch {
    // Nobody listens.
  }
}

async function lock(fd: number): Promise<void> {
  try {
    while (!flockExclusive(fd)) await sleep(10);
  } catch {
    // Without koffi two may release at a time, and the second one finds it done.
  }
}

takeShelter();
const ledger = await Ledger.inherit(process.argv[2] ?? "", lock);
if (ledger !== null) {
  const holding = await Holding.inherit(chooseHands(ledger.heading.means), {
    tell,
    ledger,
    haste: new Haste(ledger.isHurrying),
  });
  holding.end("failed", { is: "fault", reason: "the keeper was killed" });
  await holding.settled();
  ledger.end();
} else {
  const report: SectionReport = { by: "ioctl", points: [], heldMs: 0, reason: "failed" };
  tell({ say: "over", report, failure: null, missing: [], unanswered: [] });
}
process.exit(0);
