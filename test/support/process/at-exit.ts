const work = new Set<() => void>();
let listening = false;

/**
 * Does the work when this process ends, also by an exception or a signal that can be caught: what a rig started must not
 * outlive it. Answers how to call it off.
 */
export function atExit(job: () => void): () => void {
  listen();
  work.add(job);
  return () => work.delete(job);
}

function listen(): void {
  if (listening) return;
  listening = true;
  process.on("exit", () => {
    for (const job of [...work].toReversed()) {
      try {
        job();
      } catch (error) {
        console.error(error);
      }
    }
  });
  // Without a listener these signals end a process with no exit event. One of somebody else's decides for itself.
  for (const [signal, number] of [
    ["SIGTERM", 15],
    ["SIGHUP", 1],
    ["SIGINT", 2],
  ] as const) {
    if (process.listenerCount(signal) === 0) process.once(signal, () => process.exit(128 + number));
  }
}
