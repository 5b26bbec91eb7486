import { HoldstillError } from "../../base/errors/error.js";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export interface Interruption {
  readonly signal: AbortSignal;
  /** Restores the default action of the signals. */
  readonly end: () => void;
}

/** The first signal aborts, and everything is undone in order. Later signals change nothing. */
export function interruption(print: (text: string) => void): Interruption {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) {
      print(`${name}: the abort is already in progress.`);
      return;
    }
    print(`${name}: aborting, and undoing what was begun.`);
    controller.abort(new HoldstillError("E_INTERRUPTED", { signal: name }));
  };
  for (const name of signals) process.on(name, onSignal);
  return {
    signal: controller.signal,
    end() {
      for (const name of signals) process.off(name, onSignal);
    },
  };
}
