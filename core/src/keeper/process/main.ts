/**
 * The keeper's process: armed by the core, it holds, commits and releases by itself. Its input is the core's pipe; when that ends, the
 * core is dead. It writes nowhere but to its output and its register, and loads nothing after "armed".
 */
import { Socket } from "node:net";
import { preloadLibc } from "../../os/libc.js";
import { TargetFault } from "./backend.js";
import { ioctlBackend } from "./backend-ioctl.js";
import { Watchdog } from "./watchdog.js";
import { RcuExpedited } from "./rcu-expedited.js";
import { CriticalSectionRun } from "./critical-section.js";
import { HoldRegister } from "../hold-register.js";
import { warmUp } from "./warm-up.js";
import { lockFileMappings, hardenProcess } from "./hardening.js";
import { type KeeperMessage, type ArmRequest, decoder, encode, type CoreMessage } from "../wire.js";

let section: CriticalSectionRun | null = null;
let register: HoldRegister | null = null;
let watchdog: Watchdog | null = null;
let isLeaving = false;

const input = new Socket({ fd: 0, writable: false });
const output = new Socket({ fd: 1, readable: false });
const send = (message: KeeperMessage): void => {
  if (output.writable) output.write(encode(message));
};

input.setEncoding("utf8").on(
  "data",
  decoder((message) => receive(message as CoreMessage)),
);
input.on("end", orphaned).on("error", orphaned).on("close", orphaned);
// The core is dead: its input also ends, and that is what counts.
output.on("error", () => undefined);

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    if (!(section?.isOn ?? false)) leave("requested");
  });
}
// On the first, Node would open a debugger's port, and the others would end the process.
for (const signal of ["SIGUSR1", "SIGUSR2", "SIGQUIT", "SIGALRM"] as const) process.on(signal, () => undefined);
process.on("uncaughtException", (error) => {
  if (section === null) throw error;
  section.end("failed", { type: "fault", reason: error.message });
});

function receive(message: CoreMessage): void {
  section?.beat();
  switch (message.type) {
    case "arm":
      void arm(message.request);
      return;
    case "hold":
      void section?.hold(message.limitMs);
      return;
    case "beat":
      return;
    case "release":
      section?.end("requested");
      return;
    case "disarm":
      return leave("requested");
  }
}

async function arm(request: ArmRequest): Promise<void> {
  try {
    preloadLibc();
    hardenProcess();
    watchdog = new Watchdog(request.rescue);
    register = HoldRegister.begin(request, watchdog.pid);
    await warmUp(request);
    const rcu = new RcuExpedited(false);
    section = await CriticalSectionRun.prepare(request, ioctlBackend(), { send, register, rcu });
    if (request.lockMemory) lockFileMappings();
    send({ type: "armed" });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    send({ type: "unarmed", reason, index: error instanceof TargetFault ? error.index : null });
    output.end(() => exit(1));
  }
}

function orphaned(): void {
  leave("eof");
}

/** Releases what is held, waits for what the kernel has not answered, and ends. */
function leave(reason: "requested" | "eof"): void {
  if (isLeaving) return;
  isLeaving = true;
  if (section?.isOn) section.end(reason);
  void (section?.settled() ?? Promise.resolve()).then(() => (reason === "eof" ? exit(0) : output.end(() => exit(0))));
}

function exit(code: number): void {
  register?.end();
  void (watchdog?.dismiss() ?? Promise.resolve()).then(() => process.exit(code));
}
