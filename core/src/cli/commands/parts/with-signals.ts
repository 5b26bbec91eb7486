import { interruption } from "../../live/interrupt.js";
import type { CommandCall } from "../../parse/command.js";
import { printError } from "../../terminal/output.js";

/** Work that a signal aborts. */
export async function withSignals<T>(
  { quiet, form }: Pick<CommandCall, "quiet" | "form">,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { signal, end } = interruption((text) =>
    quiet || form === "json" ? undefined : printError([`holdstill: ${text}`]),
  );
  try {
    return await work(signal);
  } finally {
    end();
  }
}
