/** What the host starts for a plugin, in any runtime. */
import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import type { FromWorker, Start, ToWorker } from "../wire.js";

export interface WorkerSpec {
  memoryMb: number;
  /** The whole environment of the worker: it inherits nothing. */
  environment: Readonly<Record<string, string>>;
  start: Start;
}

export interface WorkerEvents {
  onMessage(message: FromWorker): void;
  /** What the worker sends cannot be used any more; the reason is for a person. Nothing else comes from it. */
  onBroken(reason: string): void;
  /** The plugin's stdout and stderr, which are separate from the host's. */
  onOutput(stream: "stdout" | "stderr", chunk: string): void;
  /** Called once, after the last message, also after a kill. */
  onExit(reason: string): void;
}

export interface Worker {
  /** Id of the thread or the process. */
  readonly number: number;
  post(message: ToWorker): void;
  /** "stuck": it hangs in a system call and cannot be ended. Takes half a second at most. */
  kill(): Promise<"gone" | "stuck">;
}

/** How much output of a worker is read in a second, bytes. After that the worker waits, as if its reader were slow. */
const OUTPUT_PER_SECOND = 4 * 1024 * 1024;

/** Reads the output of a worker. */
export function readOutput(stream: Readable | null, onChunk: (chunk: string) => void): void {
  const decoder = new StringDecoder("utf8");
  readPaced(stream, OUTPUT_PER_SECOND, (chunk) => onChunk(decoder.write(chunk)));
}

/** Reads so many bytes in a second. */
export function readPaced(stream: Readable | null, perSecond: number, onChunk: (chunk: Buffer) => void): void {
  let [since, bytes] = [-Infinity, 0];
  stream
    ?.on("data", (chunk: Buffer) => {
      const now = performance.now();
      if (now - since >= 1000) [since, bytes] = [now, 0];
      bytes += chunk.length;
      onChunk(chunk);
      if (bytes <= perSecond) return;
      stream.pause();
      setTimeout(() => stream.resume(), since + 1000 - now).unref();
    })
    // It may have been paused, by the removal of its last pipe.
    .resume();
}
