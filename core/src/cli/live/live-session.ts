import type { ExitCode } from "../../base/errors/exit.js";
import type { Event } from "../../base/schema/types.js";
import type { CommandCall } from "../parse/command.js";
import { interruption } from "./interrupt.js";
import { printLine } from "../terminal/output.js";
import { SeenSpans } from "../../base/display/spans.js";
import { watchFor } from "./watch.js";

/** Someone at the terminal while a transaction runs: told of it, and able to interrupt it. */
export interface LiveSession {
  readonly seen: SeenEvents;
  readonly signal: AbortSignal;
  readonly onEvent: (event: Event) => void;
  /** There is nothing more to watch; signals are still taken. */
  readonly quiet: () => void;
  /** The same, and signals do again what they do without us. */
  readonly end: () => void;
}

export function startLiveSession(call: CommandCall): LiveSession {
  const watch = watchFor(call);
  const seen = new SeenEvents();
  const { signal, end } = interruption((text) => watch.say(text));
  const onEvent = (event: Event): void => {
    seen.note(event);
    if (call.form === "stream") printLine(event);
    watch.onEvent(event);
  };
  return {
    seen,
    signal,
    onEvent,
    quiet: () => watch.end(),
    end() {
      watch.end();
      end();
    },
  };
}

/** What the events tell, for the end. */
export class SeenEvents {
  readonly spans = new SeenSpans();
  transaction = "";
  exitCode: ExitCode | null = null;

  note(event: Event): void {
    this.spans.note(event);
    if (event.type === "begun") this.transaction = event.transaction;
    if (event.type === "ended") this.exitCode = event.exitCode as ExitCode;
  }
}
