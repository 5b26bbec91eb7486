import path from "node:path";
import { installation } from "../../../installation.js";
import { startContained } from "./contained.js";
import { reasonOf } from "./ending.js";
import { Frames } from "../frames.js";
import { Intake, tooLong } from "./intake.js";
import { afterLastWords } from "./stuck.js";
import { encodeMessage, MESSAGE_LIMIT, type ToWorker } from "../wire.js";
import { readOutput, type Worker, type WorkerEvents, type WorkerSpec } from "./worker.js";

const inside = path.join(installation.modules, "host/isolation/worker/process.js");
/** What a plugin may need beside its heap, for its code, its threads and its buffers, MiB. */
const BESIDE_HEAP_MB = 1024;

/** Starts a process with the plugin's session. The host reads nothing from the plugin but text of a limited length. */
export function startProcess({ memoryMb, environment, start }: WorkerSpec, events: WorkerEvents): Worker {
  const program = startContained({
    command: [process.execPath, `--max-old-space-size=${memoryMb}`, inside],
    environment,
    limitMb: memoryMb + BESIDE_HEAP_MB,
  });
  const { channel, end } = program;
  let outOfMemory = false;
  for (const name of ["stdout", "stderr"] as const)
    readOutput(program[name], (chunk) => {
      outOfMemory ||= chunk.includes("heap out of memory");
      events.onOutput(name, chunk);
    });

  let isBroken = false;
  const breakOff = (reason: string): void => {
    if (isBroken) return;
    isBroken = true;
    channel.destroy();
    events.onBroken(reason);
  };
  const intake = new Intake();
  const frames = new Frames(3 * MESSAGE_LIMIT, (text) => {
    if (isBroken) return;
    const taken = intake.take(text);
    if (taken.type === "message") events.onMessage(taken.message);
    else breakOff(taken.reason);
  });
  channel.on("data", (chunk: Buffer) => {
    if (!isBroken && !frames.take(chunk)) breakOff(tooLong.reason);
  });
  program.onEnd(() => events.onExit(reasonOf({ ...end, outOfMemory, memoryMb })));
  // A plugin that ends closes its channel first.
  channel.once("close", () =>
    afterLastWords(
      () => end.code === null && end.signal === null && breakOff("it closed its connection to the host"),
      (listener) => void program.exited.then(listener),
    ),
  );

  const post = (message: ToWorker): void => void (channel.writable && channel.write(`${encodeMessage(message)}\n`));
  post({ type: "start", start });
  return { number: program.pid, post, kill: () => program.kill() };
}
