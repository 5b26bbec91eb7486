/** How long the suite may wait in silence, ms. */
const SILENCE_MS = 2000;

/** Both get text as it came: it may have secrets. */
export interface RigHooks {
  onLog(line: string): void;
  /** What the suite waits for. */
  onWait(what: string): void;
}

/** Does work that may take long, and reports what is waited for if it does. */
export async function waiting<T>(hooks: RigHooks, what: string, work: () => Promise<T>): Promise<T> {
  const timer = setTimeout(() => hooks.onWait(what), SILENCE_MS);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
}
