/**
 * The keeper's process: armed by the core, it holds, commits and releases by itself. Its input is the core's pipe; when that
 * ends, the core is dead. Nothing is written anywhere else, and nothing is loaded after "armed".
 */
import { Socket } from "node:net";
import { TargetFault } from "./backend.js";
import { Watchdog } from "./watchdog.js";
import { chooseBackend } from "./choose-backend.js";
import { RcuExpedited } from "./rcu-expedited.js";
import { CriticalSectionRun } from "./critical-section.js";
import { HoldRegister } from "../hold-register.js";
import { warmUp } from "./warm-up.js";
import { lockFileMappings, hardenProcess } from "./hardening.js";
import { type KeeperMessage, type ArmRequest, decoder, encode, type CoreMessage } from "../wire.js";

const noCommands = "koffi cannot be loaded, and with root included no other program can be started while it is held";

let holding: CriticalSectionRun | null = null;
let ledger: HoldRegister | null = null;
let guardian: Watchdog | null = null;
let isWanted = true;

const input = new Socket({ fd: 0, writable: false });
const output = new Socket({ fd: 1, readable: false });
const tell = (answer: KeeperMessage): void => {
  if (output.writable) output.write(encode(answer));
};

input.setEncoding("utf8").on(
  "data",
  decoder((word) => hear(word as CoreMessage)),
);
input.on("end", orphaned).on("error", orphaned).on("close", orphaned);
// The core is dead: its input ends, too, and that is what counts.
output.on("error", () => undefined);

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    if (!(holding?.isOn ?? false)) leave("word");
  });
}
// Node would open a debugger's port, and the others would end the process.
for (const signal of ["SIGUSR1", "SIGUSR2", "SIGQUIT", "SIGALRM"] as const) process.on(signal, () => undefined);
process.on("uncaughtException", (error) => {
  if (holding === null) throw error;
  holding.end("failed", { is: "fault", reason: error.message });
});

function hear(word: CoreMessage): void {
  holding?.beat();
  switch (word.say) {
    case "arm":
      void arm(word.arms);
      return;
    case "hold":
      void holding?.hold(word.limitMs);
      return;
    case "beat":
      return;
    case "release":
      holding?.end("word");
      return;
    case "disarm":
      return leave("word");
  }
}

async function arm(arms: ArmRequest): Promise<void> {
  try {
    const hands = chooseBackend(arms.means);
    if (arms.lockMemory && hands.name === "commands") throw new TargetFault(noCommands);
    hardenProcess();
    guardian = new Watchdog(arms.register, arms.targets.length);
    ledger = HoldRegister.begin(arms, hands.name, guardian.pid);
    if (hands.name === "ioctl") await warmUp(arms);
    holding = await CriticalSectionRun.prepare(arms, hands, { tell, ledger, haste: new RcuExpedited(false) });
    if (arms.lockMemory) lockFileMappings();
    tell({ say: "armed", means: hands.name });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    tell({ say: "unarmed", reason, station: error instanceof TargetFault ? error.target : null });
    output.end(() => exit(1));
  }
}

function orphaned(): void {
  leave("eof");
}

/** Releases what is held, waits for what the kernel has not answered, and ends. */
function leave(reason: "word" | "eof"): void {
  if (!isWanted) return;
  isWanted = false;
  if (holding?.isOn) holding.end(reason);
  void (holding?.settled() ?? Promise.resolve()).then(() => (reason === "eof" ? exit(0) : output.end(() => exit(0))));
}

function exit(code: number): void {
  ledger?.end();
  void (guardian?.dismiss() ?? Promise.resolve()).then(() => process.exit(code));
}
