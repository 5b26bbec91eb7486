/** A worker that has not ended so long after it was killed hangs in the kernel, ms. JavaScript ends in 5 to 20 ms. */
const STUCK_MS = 500;
/** How long a worker's last messages may take to arrive after its end. */
const LAST_WORDS_MS = 200;

const stuck = new Set<Promise<void>>();
/** While a thread hangs in the kernel, `process.exit()` hangs too: end with `exitNow` of os/libc.ts instead. */
export const hasStuckWorkers = (): boolean => stuck.size > 0;

/** Whether a worker that was killed has ended. `exited` settles when it ends. Takes at most STUCK_MS. */
export function goneOrStuck(exited: Promise<void>): Promise<"gone" | "stuck"> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      stuck.add(exited);
      resolve("stuck");
    }, STUCK_MS);
    void exited.then(() => {
      clearTimeout(timer);
      stuck.delete(exited);
      resolve("gone");
    });
  });
}

/** Calls back once: when the listener is called, or when the last messages are overdue. */
export function afterLastWords(done: () => void, listen: (listener: () => void) => void): void {
  let called = false;
  const call = (): void => {
    clearTimeout(timer);
    if (!called) done();
    called = true;
  };
  const timer = setTimeout(call, LAST_WORDS_MS);
  listen(call);
}
