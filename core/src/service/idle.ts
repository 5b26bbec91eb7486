import { asHoldstillError } from "../base/errors/error.js";

/** Time between two checks, ms. */
const checkEvery = 250;

/** Resolves with the reason to end: a signal, no work for this time, or no work after the files were replaced. */
export function whenIdle(
  isBusy: () => boolean,
  areReplaced: () => boolean,
  { idleMs, signal }: { idleMs: number | null; signal: AbortSignal },
): Promise<string> {
  return new Promise((resolve) => {
    let busyAt = performance.now();
    const end = (reason: string): void => {
      clearInterval(timer);
      signal.removeEventListener("abort", onSignal);
      resolve(reason);
    };
    const onSignal = (): void => {
      const { details } = asHoldstillError(signal.reason);
      end("signal" in details ? details.signal : "interrupted");
    };
    const timer = setInterval(() => {
      const now = performance.now();
      if (isBusy()) busyAt = now;
      else if (areReplaced()) end("its files were replaced");
      else if (idleMs !== null && now - busyAt >= idleMs) end("the service was idle");
    }, checkEvery);
    signal.addEventListener("abort", onSignal, { once: true });
    if (signal.aborted) onSignal();
  });
}
