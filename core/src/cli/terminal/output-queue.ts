import { write } from "node:fs";

type Stream = 1 | 2;

/** Time between attempts to write to a full pipe, ms. */
const RETRY_MS = 10;

/**
 * Output to stdout and stderr, in order. Node.js writes to files and terminals synchronously: Ctrl-S, or a file on a held volume,
 * would stop this process during the transaction, with applications frozen. So each write is made on a thread, and only the end of
 * the process waits for it.
 */
const queue: { stream: Stream; bytes: Buffer }[] = [];
let waiting: (() => void)[] = [];
let fault: Error | null = null;

export function put(stream: Stream, text: string): void {
  queue.push({ stream, bytes: Buffer.from(text) });
  if (queue.length === 1) next();
}

/** Whether everything is written. */
export const isIdle = (): boolean => queue.length === 0;

/** Resolves when everything is written, or the reader has closed its end. */
export function drained(): Promise<void> {
  if (isIdle()) return Promise.resolve();
  return new Promise((resolve) => {
    waiting.push(resolve);
  });
}

/** The first error of stdout. A reader that closes its end is not one: `holdstill list | head`. */
export const outputFault = (): Error | null => fault;

function next(): void {
  const [first] = queue;
  if (first !== undefined) {
    write(first.stream, first.bytes, (error, written) => settle(first, error, written));
    return;
  }
  for (const resolve of waiting) resolve();
  waiting = [];
}

function settle(first: (typeof queue)[number], error: NodeJS.ErrnoException | null, written: number): void {
  if (error?.code === "EAGAIN") {
    setTimeout(next, RETRY_MS);
    return;
  }
  if (error === null && written < first.bytes.length) first.bytes = first.bytes.subarray(written);
  else queue.shift();
  if (error !== null && error.code !== "EPIPE" && first.stream === 1) fault ??= error;
  next();
}
