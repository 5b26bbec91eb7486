import { ChildProcess } from "node:child_process";
import path from "node:path";
import type { Readable } from "node:stream";
import { MessageChannel, Worker as Thread } from "node:worker_threads";
import { Tinypool, type TinypoolChannel } from "tinypool";
import { dieWithParent } from "../../../os/exec/die-with-parent.js";
import { installation } from "../../../installation.js";
import { type WorkerEnding, reasonOf } from "./ending.js";
import { type FromWorker, fromWorker, type Start, type Task, type ToWorker, wrapMessage } from "../wire.js";

/** A worker that has not ended so long after it was killed hangs in the kernel, ms. JavaScript ends in 5 to 20 ms. */
const STUCK_MS = 500;
/** How long a worker's last messages may take to arrive after its end. */
const LAST_WORDS_MS = 200;
const inside = path.join(installation.modules, "host/isolation/worker/main.js");

export interface WorkerSpec {
  runtime: "thread" | "process";
  memoryMb: number;
  /** The whole environment of the worker: it inherits nothing. */
  environment: Readonly<Record<string, string>>;
  start: Start;
}

export interface WorkerEvents {
  onMessage(message: FromWorker): void;
  /** The plugin's stdout and stderr, which are separate from the host's. */
  onOutput(stream: "stdout" | "stderr", chunk: string): void;
  /** Called once, after the last message, also after a kill. */
  onExit(reason: string): void;
}

export interface Worker {
  /** Id of the thread or the process. */
  readonly number: number;
  post(message: ToWorker): void;
  /** "stuck": it hangs in a system call and cannot be ended. Takes at most STUCK_MS. */
  kill(): Promise<"gone" | "stuck">;
}

const stuck = new Set<Thread | ChildProcess>();
/** While a thread hangs in the kernel, `process.exit()` hangs too: end with `exitNow` of os/libc.ts instead. */
export const hasStuckWorkers = (): boolean => stuck.size > 0;

/** Starts a worker with the plugin's session. Both runtimes behave alike; `lineOf` and `handleOf` have the differences. */
export function startWorker(spec: WorkerSpec, events: WorkerEvents): Worker {
  const line = lineOf(spec.runtime, events);
  const pool = new Tinypool({
    runtime: spec.runtime === "thread" ? "worker_threads" : "child_process",
    // With a minimum of 1, tinypool would replace a killed worker by a new one.
    minThreads: 0,
    maxThreads: 1,
    // With the default, the worker's event loop stops between calls, and its database session with it.
    useAtomics: false,
    env: { ...spec.environment },
    resourceLimits: { maxOldGenerationSizeMb: spec.memoryMb },
    execArgv: spec.runtime === "thread" ? [] : [`--max-old-space-size=${spec.memoryMb}`],
    serialization: "advanced",
  });
  // Without a listener, a plugin that throws while it loads would end the host. The exit event has the reason.
  pool.on("error", () => {});
  const killed = new AbortController();
  const task: Task = { start: spec.start, port: line.port };
  const options = { filename: inside, signal: killed.signal };
  const run =
    line.port === null
      ? pool.run(task, { ...options, channel: line.channel })
      : pool.run(task, { ...options, transferList: [line.port] });
  run.catch(() => {});

  const handle = handleOf(pool);
  if (handle instanceof ChildProcess) dieWithParent(handle);
  const ending: WorkerEnding = { code: null, signal: null, error: null, outOfMemory: false, memoryMb: spec.memoryMb };
  redirect(handle, (stream, chunk) => {
    ending.outOfMemory ||= chunk.includes("heap out of memory");
    events.onOutput(stream, chunk);
  });

  const release = (): void => {
    killed.abort();
    // Its promise is not awaited: it waits for an exit event that may have passed, or that never comes.
    pool.destroy().catch(() => {});
  };
  const exited = new Promise<void>((resolve) => {
    if (handle instanceof Thread) handle.on("error", (error) => (ending.error = error));
    handle.once("exit", (code: number | null, signal?: string | null) => {
      Object.assign(ending, { code, signal: signal ?? null });
      stuck.delete(handle);
      resolve();
      line.closed(handle, () => events.onExit(reasonOf(ending)));
      release();
    });
  });

  let kill: Promise<"gone" | "stuck"> | undefined;
  return {
    number: handle instanceof Thread ? handle.threadId : (handle.pid ?? 0),
    post: (message) => line.post(message),
    kill() {
      kill ??= goneOrStuck(handle, exited);
      // tinypool sends SIGTERM and waits a second; a plugin may ignore that.
      if (handle instanceof ChildProcess) handle.kill("SIGKILL");
      release();
      return kill;
    },
  };
}

function goneOrStuck(handle: Thread | ChildProcess, exited: Promise<void>): Promise<"gone" | "stuck"> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      stuck.add(handle);
      resolve("stuck");
    }, STUCK_MS);
    void exited.then(() => {
      clearTimeout(timer);
      resolve("gone");
    });
  });
}

interface Line {
  /** The worker's end, to be transferred. */
  port: Task["port"];
  channel: TinypoolChannel;
  post(message: ToWorker): void;
  /** Calls back once all that the worker sent has been delivered. */
  closed(handle: Thread | ChildProcess, done: () => void): void;
}

function lineOf(runtime: WorkerSpec["runtime"], events: WorkerEvents): Line {
  const receive = (value: unknown): void => {
    const message = fromWorker(value);
    if (message !== null) events.onMessage(message);
  };
  if (runtime === "process") {
    let send = notYet;
    return {
      port: null,
      channel: { onMessage: (callback) => (send = callback), postMessage: receive },
      post: (message) => send(wrapMessage(message)),
      closed: (child, done) => firstOf(done, (listener) => child.once("close", listener)),
    };
  }
  const { port1, port2 } = new MessageChannel();
  port1.on("message", receive);
  const over = new Promise<void>((resolve) => port1.once("close", resolve));
  return {
    port: port2,
    channel: {},
    post: (message) => port1.postMessage(wrapMessage(message)),
    closed(_, done) {
      const end = (): void => {
        // If a thread ends before it gets its end of the channel, the other end stays open, and this process would wait for it.
        port1.close();
        done();
      };
      firstOf(end, (listener) => void over.then(listener));
    },
  };
}

/** tinypool passes the channel of a process with its task. Nothing is sent before the plugin is loaded. */
function notYet(_message: unknown): void {
  throw new Error("the worker has not started");
}

function firstOf(done: () => void, listen: (listener: () => void) => void): void {
  const timer = setTimeout(() => call(), LAST_WORDS_MS);
  let called = false;
  const call = (): void => {
    clearTimeout(timer);
    if (!called) done();
    called = true;
  };
  listen(call);
}

/** tinypool does not notice that a worker calls process.exit(), and has no API for its output: both need the worker itself. */
function handleOf(pool: Tinypool): Thread | ChildProcess {
  const worker: object | undefined = pool.threads[0];
  if (worker !== undefined && "thread" in worker && worker.thread instanceof Thread) return worker.thread;
  if (worker !== undefined && "process" in worker && worker.process instanceof ChildProcess) return worker.process;
  throw new Error("tinypool has changed: its worker has neither a thread nor a process");
}

function redirect(handle: Thread | ChildProcess, onOutput: WorkerEvents["onOutput"]): void {
  const take = (stream: Readable | null, name: "stdout" | "stderr"): void => {
    stream?.unpipe(process[name]);
    // The stream pauses when its last pipe is removed, and would stay paused.
    stream
      ?.setEncoding("utf8")
      .on("data", (chunk: string) => onOutput(name, chunk))
      .resume();
  };
  take(handle.stdout, "stdout");
  take(handle.stderr, "stderr");
}
