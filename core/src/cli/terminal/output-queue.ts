import { write } from "node:fs";

type Stream = 1 | 2;

/** How often a pipe that is full is tried, ms. */
const RETRY_MS = 10;

/**
 * What is on its way to stdout and stderr, in order. Node writes to files and terminals synchronously: Ctrl-S, or a file on a volume
 * that is held, would stop this process in mid-transaction, with applications frozen. So each write is made on a thread, and nobody
 * waits for it before the end.
 */
const queue: { stream: Stream; bytes: Buffer }[] = [];
let waiting: (() => void)[] = [];
let fault: Error | null = null;

export function put(stream: Stream, text: string): void {
  queue.push({ stream, bytes: Buffer.from(text) });
  if (queue.length === 1) next();
}

/** Whether everything is out. */
export const isIdle = (): boolean => queue.length === 0;

/** Resolves when everything is out, or the reader is gone. */
export function drained(): Promise<void> {
  if (isIdle()) return Promise.resolve();
  return new Promise((resolve) => {
    waiting.push(resolve);
  });
}

/** What went wrong with stdout, other than a reader that went away: `holdstill list | head` is no fault. */
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
