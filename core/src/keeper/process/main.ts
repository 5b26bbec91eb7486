/**
 * The keeper's process: armed by the core, it holds, commits and releases by itself. Its input is the core's pipe; when that
 * ends, the core is dead. Nothing is written anywhere else, and nothing is loaded after "armed".
 */
import { Socket } from "node:net";
import { StationFault } from "./backend.js";
import { Guardian } from "./watchdog.js";
import { chooseHands } from "./choose-backend.js";
import { Haste } from "./rcu-expedited.js";
import { Holding } from "./critical-section.js";
import { Ledger } from "../hold-register.js";
import { rehearse } from "./warm-up.js";
import { lockFileMappings, takeShelter } from "./hardening.js";
import { type Answer, type Arms, decoder, encode, type Word } from "../wire.js";

const noCommands = "koffi cannot be loaded, and with root included no other program can be started while it is held";

let holding: Holding | null = null;
let ledger: Ledger | null = null;
let guardian: Guardian | null = null;
let isWanted = true;

const input = new Socket({ fd: 0, writable: false });
const output = new Socket({ fd: 1, readable: false });
const tell = (answer: Answer): void => {
  if (output.writable) output.write(encode(answer));
};

input.setEncoding("utf8").on(
  "data",
  decoder((word) => hear(word as Word)),
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

function hear(word: Word): void {
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

async function arm(arms: Arms): Promise<void> {
  try {
    const hands = chooseHands(arms.means);
    if (arms.lockMemory && hands.means === "commands") throw new StationFault(noCommands);
    takeShelter();
    guardian = new Guardian(arms.ledger, arms.stations.length);
    ledger = Ledger.begin(arms, hands.means, guardian.pid);
    if (hands.means === "ioctl") await rehearse(arms);
    holding = await Holding.prepare(arms, hands, { tell, ledger, haste: new Haste(false) });
    if (arms.lockMemory) lockFileMappings();
    tell({ say: "armed", means: hands.means });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    tell({ say: "unarmed", reason, station: error instanceof StationFault ? error.station : null });
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
