import { rmSync } from "node:fs";
import { ioctl } from "../../os/libc.js";
import type { Backend, ReadyOp, TargetHandle } from "./backend.js";
import { RcuExpedited } from "./rcu-expedited.js";
import { CriticalSectionRun } from "./critical-section.js";
import { HoldRegister } from "../hold-register.js";
import type { ArmRequest } from "../wire.js";

/** Code runs at full speed only after it has run a few times. */
const TIMES = 4;

/** A call on an invalid descriptor, which the kernel refuses at once. */
const call = (): Promise<number> => ioctl(-1, 0, null);

const nothing: TargetHandle = {
  check: () => null,
  flush: call,
  async hold() {
    await call();
    return { type: "held" };
  },
  async release() {
    await call();
    return { type: "released" };
  },
};

const idle: ReadyOp = {
  name: "nothing",
  async run() {
    await call();
    return null;
  },
};

const backend: Backend = { open: async () => nothing, ready: () => idle };

/**
 * Runs the whole section with nothing in place of each target and operation, so that no thread has to be started and nothing to be
 * compiled while I/O is held.
 */
export async function warmUp(request: ArmRequest): Promise<void> {
  for (let times = 0; times < TIMES; times += 1) {
    const file = `${request.register}.warm-up`;
    const register = HoldRegister.begin({ ...request, register: file }, process.pid);
    // It is a file, but no process may inherit it.
    rmSync(file);
    const rcu = new RcuExpedited(false, "/dev/null");
    const section = await CriticalSectionRun.prepare(request, backend, { send: () => undefined, register, rcu });
    await section.hold();
    // For requests with operations of the host.
    section.end("requested");
    await section.settled();
    register.end();
  }
}
