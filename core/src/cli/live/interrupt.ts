import { HoldstillError } from "../../base/errors/error.js";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export interface Interruption {
  readonly signal: AbortSignal;
  /** Signals do again what they do without us. */
  readonly end: () => void;
}

/** The first signal aborts, and everything is undone in order; the ones after it change nothing. */
export function interruption(say: (text: string) => void): Interruption {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) {
      say(`${name}: already aborting; what was begun is being undone.`);
      return;
    }
    say(`${name}: aborting; what was begun is undone first.`);
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
