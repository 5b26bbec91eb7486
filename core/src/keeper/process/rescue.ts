/**
 * Does the last of a dead keeper's work: releases what its ledger says may be held, and nothing else. Started by the keeper's
 * guardian, by the core, or by `recover`; whichever of them comes first does it. Argument: the ledger. Tells on stdout how it went.
 */
import { writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { flockExclusive } from "../../os/libc.js";
import { chooseBackend } from "./choose-backend.js";
import { RcuExpedited } from "./rcu-expedited.js";
import { CriticalSectionRun } from "./critical-section.js";
import { HoldRegister } from "../hold-register.js";
import type { SectionReport } from "../section.js";
import { hardenProcess } from "./hardening.js";
import { type KeeperMessage, encode } from "../wire.js";

function tell(answer: KeeperMessage): void {
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

hardenProcess();
const ledger = await HoldRegister.inherit(process.argv[2] ?? "", lock);
if (ledger !== null) {
  const holding = await CriticalSectionRun.inherit(chooseBackend(ledger.heading.means), {
    tell,
    ledger,
    haste: new RcuExpedited(ledger.isHurrying),
  });
  holding.end("failed", { is: "fault", reason: "the keeper was killed" });
  await holding.settled();
  ledger.end();
} else {
  const report: SectionReport = { by: "ioctl", targets: [], heldMs: 0, reason: "failed" };
  tell({ say: "over", report, failure: null, missing: [], unanswered: [] });
}
process.exit(0);
