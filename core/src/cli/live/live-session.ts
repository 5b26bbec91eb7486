import type { ExitCode } from "../../base/errors/exit.js";
import type { Event } from "../../base/schema/types.js";
import type { CommandCall } from "../parse/command.js";
import { interruption } from "./interrupt.js";
import { printLine } from "../terminal/output.js";
import { SeenSpans } from "../../base/display/spans.js";
import { displayFor } from "./event-display.js";

/** Shows a transaction while it runs, and takes the signals that interrupt it. */
export interface LiveSession {
  readonly summary: EventSummary;
  readonly signal: AbortSignal;
  readonly onEvent: (event: Event) => void;
  /** Ends the display; signals are still taken. */
  readonly quiet: () => void;
  /** Ends the display, and restores the default action of the signals. */
  readonly end: () => void;
}

export function startLiveSession(call: CommandCall): LiveSession {
  const display = displayFor(call);
  const summary = new EventSummary();
  const { signal, end } = interruption((text) => display.message(text));
  const onEvent = (event: Event): void => {
    summary.note(event);
    if (call.form === "stream") printLine(event);
    display.onEvent(event);
  };
  return {
    summary,
    signal,
    onEvent,
    quiet: () => display.end(),
    end() {
      display.end();
      end();
    },
  };
}

/** What the end of the command needs of the events. */
export class EventSummary {
  readonly spans = new SeenSpans();
  transaction = "";
  exitCode: ExitCode | null = null;

  note(event: Event): void {
    this.spans.note(event);
    if (event.type === "begun") this.transaction = event.transaction;
    if (event.type === "ended") this.exitCode = event.exitCode as ExitCode;
  }
}
