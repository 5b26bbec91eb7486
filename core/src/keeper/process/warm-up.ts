import { rmSync } from "node:fs";
import { ioctl } from "../../os/libc.js";
import type { TargetHandle, ReadyOp } from "./backend.js";
import { RcuExpedited } from "./rcu-expedited.js";
import { CriticalSectionRun } from "./critical-section.js";
import { HoldRegister } from "../hold-register.js";
import type { ArmRequest } from "../wire.js";

/** Code runs at its full speed only after it has run a few times. */
const TIMES = 4;

/** A call to no descriptor, which the kernel refuses at once. */
const call = (): Promise<number> => ioctl(-1, 0, null);

const nothing: TargetHandle = {
  check: () => null,
  flush: call,
  async hold() {
    await call();
    return { is: "held" };
  },
  async release() {
    await call();
    return { is: "released" };
  },
};

const idle: ReadyOp = {
  name: "nothing",
  async run() {
    await call();
    return null;
  },
};

/**
 * Does the whole section with nothing in the place of each station and operation, so that no thread has to be started and nothing to
 * be compiled while I/O is held.
 */
export async function warmUp(arms: ArmRequest): Promise<void> {
  for (let times = 0; times < TIMES; times += 1) {
    const place = `${arms.register}.rehearsal`;
    const ledger = HoldRegister.begin({ ...arms, register: place }, "ioctl", process.pid);
    // It has a file, but nobody is to inherit that.
    rmSync(place);
    const hands = { name: "ioctl", open: async () => nothing, step: () => idle } as const;
    const haste = new RcuExpedited(false, "/dev/null");
    const holding = await CriticalSectionRun.prepare(arms, hands, { tell: () => undefined, ledger, haste });
    await holding.hold();
    // Where the host has a word to say.
    holding.end("word");
    await holding.settled();
    ledger.end();
  }
}
