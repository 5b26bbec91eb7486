/**
 * Finishes the work of a dead keeper: releases what its register lists as possibly held, and nothing else. The keeper's watchdog, the
 * core or `recover` starts it; the first one does the work. Argument: the register. It reports the result on stdout.
 */
import { writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { flockExclusive } from "../../os/libc.js";
import { ioctlBackend } from "./backend-ioctl.js";
import { RcuExpedited } from "./rcu-expedited.js";
import { CriticalSectionRun } from "./critical-section.js";
import { HoldRegister } from "../hold-register.js";
import type { SectionReport } from "../section.js";
import { hardenProcess } from "./hardening.js";
import { type KeeperMessage, encode } from "../wire.js";

function send(message: KeeperMessage): void {
  try {
    writeSync(1, encode(message));
  } catch {
    // The core is gone, or the watchdog has started this process.
  }
}

async function lock(fd: number): Promise<void> {
  while (!flockExclusive(fd)) await sleep(10);
}

hardenProcess();
const register = await HoldRegister.inherit(process.argv[2] ?? "", lock);
if (register !== null) {
  const rcu = new RcuExpedited(register.isExpedited);
  const section = await CriticalSectionRun.inherit(ioctlBackend(), { send, register, rcu });
  section.end("failed", { type: "fault", reason: "the keeper was killed" });
  await section.settled();
  register.end();
} else {
  const report: SectionReport = { targets: [], heldMs: 0, reason: "failed" };
  send({ type: "over", report, failure: null, missing: [], unanswered: [] });
}
process.exit(0);
