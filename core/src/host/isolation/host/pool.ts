import { MessageChannel, type MessagePort, Worker as Thread } from "node:worker_threads";
import path from "node:path";
import { Tinypool } from "tinypool";
import { installation } from "../../../installation.js";
import { type WorkerEnding, reasonOf } from "./ending.js";
import { Intake } from "./intake.js";
import { afterLastWords, goneOrStuck } from "./stuck.js";
import { encodeMessage, type Task } from "../wire.js";
import { readOutput, type Worker, type WorkerEvents, type WorkerSpec } from "./worker.js";

export { hasStuckWorkers } from "./stuck.js";

const inside = path.join(installation.modules, "host/isolation/worker/main.js");

/** Starts a thread with the plugin's session. `program`: the stdin and stdout of a plugin that is a program. */
export function startThread(spec: WorkerSpec, events: WorkerEvents, program?: MessagePort): Worker {
  const pool = new Tinypool({
    runtime: "worker_threads",
    // With a minimum of 1, tinypool would replace a killed worker by a new one.
    minThreads: 0,
    maxThreads: 1,
    // With the default, the worker's event loop stops between calls, and its database session with it.
    useAtomics: false,
    env: { ...spec.environment },
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: spec.memoryMb },
  });
  // Without a listener, a plugin that throws while it loads would end the host. The exit event has the reason.
  pool.on("error", () => {});
  const killed = new AbortController();
  const { port1, port2 } = new MessageChannel();
  const over = new Promise<void>((resolve) => port1.once("close", resolve));
  const intake = new Intake();
  let isBroken = false;
  port1.on("message", (value: unknown) => {
    if (isBroken) return;
    const taken = intake.take(value);
    if (taken.type === "message") return events.onMessage(taken.message);
    isBroken = true;
    // What it has sent as well is not read.
    port1.close();
    events.onBroken(taken.reason);
  });
  const task: Task = { port: port2, ...(program !== undefined && { program }) };
  const transferList = program === undefined ? [port2] : [port2, program];
  pool.run(task, { filename: inside, signal: killed.signal, transferList }).catch(() => {});
  port1.postMessage(encodeMessage({ type: "start", start: spec.start }));

  const thread = threadOf(pool);
  const ending: WorkerEnding = { code: null, signal: null, error: null, outOfMemory: false, memoryMb: spec.memoryMb };
  for (const name of ["stdout", "stderr"] as const) {
    thread[name].unpipe(process[name]);
    readOutput(thread[name], (chunk) => events.onOutput(name, chunk));
  }
  const release = (): void => {
    killed.abort();
    // Its promise is not awaited: it waits for an exit event that may have passed, or that never comes.
    pool.destroy().catch(() => {});
  };
  const exited = new Promise<void>((resolve) => {
    thread.on("error", (error) => (ending.error = error));
    thread.once("exit", (code: number) => {
      ending.code = code;
      resolve();
      const end = (): void => {
        // If a thread ends before it gets its end of the channel, the other end stays open, and this process would wait for it.
        port1.close();
        events.onExit(reasonOf(ending));
      };
      afterLastWords(end, (listener) => void over.then(listener));
      release();
    });
  });

  let kill: Promise<"gone" | "stuck"> | undefined;
  return {
    number: thread.threadId,
    post: (message) => port1.postMessage(encodeMessage(message)),
    kill() {
      kill ??= goneOrStuck(exited);
      release();
      return kill;
    },
  };
}

/** tinypool does not notice that a worker calls process.exit(), and has no API for its output: both need the worker itself. */
function threadOf(pool: Tinypool): Thread {
  const worker: object | undefined = pool.threads[0];
  if (worker !== undefined && "thread" in worker && worker.thread instanceof Thread) return worker.thread;
  throw new Error("tinypool has changed: its worker has no thread");
}
