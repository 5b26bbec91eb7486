import { MessageChannel } from "node:worker_threads";
import { startContained } from "./contained.js";
import { reasonOf } from "./ending.js";
import { CHARACTERS_PER_SECOND } from "./intake.js";
import { startThread } from "./pool.js";
import { afterLastWords } from "./stuck.js";
import { readOutput, readPaced, type Worker, type WorkerEvents, type WorkerSpec } from "./worker.js";

/** Heap of the thread that speaks with the program, MiB: several of the longest messages. */
const THREAD_MB = 128;

/**
 * Starts a plugin that is a program. The host owns the program, and hands its stdin and stdout, as bytes, to a thread: what the program
 * writes is read there, and comes here as the messages of any other plugin. Its stderr is its console.
 */
export function startProgram({ memoryMb, environment, start }: WorkerSpec, events: WorkerEvents): Worker {
  const program = startContained({
    // The shell connects the stdin of a background process to /dev/null.
    command: ["/bin/sh", "-c", 'exec "$0" <&3 3<&-', start.entry],
    environment,
    limitMb: memoryMb,
  });
  const { channel, stdout, end } = program;
  const { port1, port2 } = new MessageChannel();
  readOutput(program.stderr, (chunk) => events.onOutput("stderr", chunk));
  readPaced(stdout, CHARACTERS_PER_SECOND, (chunk: Buffer) => port1.postMessage(chunk));
  let isClosed = false;
  stdout?.once("close", () => {
    isClosed = true;
    // The thread ends when it has read all that was written.
    port1.postMessage(null);
  });
  port1.on("message", (chunk: Uint8Array) => void (channel.writable && channel.write(chunk)));
  void program.exited.then(() => channel.destroy());

  const reasonAfter = (reason: string): string => {
    const { code, signal, error } = end;
    if (code !== null || signal !== null || error !== null) return reasonOf({ ...end, outOfMemory: false, memoryMb });
    return isClosed ? "it closed its stdout" : reason;
  };
  const thread = startThread(
    { memoryMb: THREAD_MB, environment: {}, start },
    {
      ...events,
      onExit: (reason) =>
        afterLastWords(
          () => events.onExit(reasonAfter(reason)),
          (listener) => void program.exited.then(listener),
        ),
    },
    port2,
  );
  return {
    number: program.pid,
    post: (message) => thread.post(message),
    async kill() {
      const ends = await Promise.all([program.kill(), thread.kill()]);
      return ends.includes("stuck") ? "stuck" : "gone";
    },
  };
}
