import type { Event } from "../../base/schema/types.js";
import type { CommandCall } from "../parse/command.js";
import { escapeControls, printError } from "../terminal/output.js";
import { eventLine } from "./progress.js";
import { isIdle, put } from "../terminal/output-queue.js";
import { StatusLine } from "./status-line.js";
import { visible } from "../../base/display/visible.js";

/** Shows a transaction while it runs. */
export interface EventDisplay {
  onEvent(event: Event): void;
  message(text: string): void;
  end(): void;
}

/** Nothing with --quiet; one live line on a terminal; else a line for each phase and call. The log of --verbose needs lines. */
export function displayFor({ form, quiet, verbose }: CommandCall): EventDisplay {
  if (quiet || form !== "text") return { onEvent: () => {}, message: quiet ? () => {} : printMessage, end: () => {} };
  return process.stderr.isTTY && !verbose ? live() : lines(verbose);
}

const printMessage = (text: string): void => printError([`holdstill: ${text}`]);

function lines(verbose: boolean): EventDisplay {
  const limits = new Limits();
  return {
    onEvent(received) {
      const event = visible(received);
      // The log shows it already.
      if (verbose && event.type === "log") return;
      const line = eventLine(event, limits.of(event));
      if (line !== null) printError([line.text]);
    },
    message: printMessage,
    end: () => {},
  };
}

/** Time between two drawings of the line, ms. */
const tickMs = 200;

function live(): EventDisplay {
  const { stderr } = process;
  const status = new StatusLine();
  const limits = new Limits();
  let isOver = false;
  const clear = "\r\u001B[2K";
  const draw = (): void => {
    if (!isIdle()) return;
    const text = escapeControls(status.text(performance.now()));
    put(2, `${clear}${text.slice(0, (stderr.columns || 80) - 1)}`);
  };
  const show = (text: string): void => {
    put(2, clear);
    printError([text]);
  };
  const timer = setInterval(draw, tickMs);
  return {
    onEvent(received) {
      const event = visible(received);
      status.note(event, performance.now());
      const line = eventLine(event, limits.of(event));
      if (line?.notable === true) show(line.text);
    },
    message: (text) => show(`holdstill: ${text}`),
    end() {
      if (isOver) return;
      isOver = true;
      clearInterval(timer);
      put(2, clear);
    },
  };
}

/** An event has the limit of a call only when the call begins. */
class Limits {
  readonly #limits = new Map<string, number>();

  of(event: Event): number | undefined {
    if (event.type !== "call") return undefined;
    const key = `${event.actor} ${event.op}`;
    if (event.limitMs !== undefined) this.#limits.set(key, event.limitMs);
    return this.#limits.get(key);
  }
}
