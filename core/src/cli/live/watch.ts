import type { Event } from "../../base/schema/types.js";
import type { CommandCall } from "../parse/command.js";
import { escapeControls, printError } from "../terminal/output.js";
import { eventLine } from "./progress.js";
import { isIdle, put } from "../terminal/output-queue.js";
import { StatusLine } from "./status-line.js";
import { visible } from "../../base/display/visible.js";

/** Tells of a transaction while it runs. */
export interface Watch {
  onEvent(event: Event): void;
  say(text: string): void;
  end(): void;
}

/** Nothing with --quiet; one live line on a terminal; else a line for each phase and call. The log of --verbose needs lines. */
export function watchFor({ form, quiet, verbose }: CommandCall): Watch {
  if (quiet || form !== "text") return { onEvent: () => {}, say: quiet ? () => {} : sayLine, end: () => {} };
  return process.stderr.isTTY && !verbose ? live() : lines(verbose);
}

const sayLine = (text: string): void => printError([`holdstill: ${text}`]);

function lines(verbose: boolean): Watch {
  const limits = new Limits();
  return {
    onEvent(told) {
      const event = visible(told);
      // The log has it already.
      if (verbose && event.type === "log") return;
      const line = eventLine(event, limits.of(event));
      if (line !== null) printError([line.text]);
    },
    say: sayLine,
    end: () => {},
  };
}

/** How often the line is drawn. */
const tickMs = 200;

function live(): Watch {
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
  const say = (text: string): void => {
    put(2, clear);
    printError([text]);
  };
  const timer = setInterval(draw, tickMs);
  return {
    onEvent(told) {
      const event = visible(told);
      status.note(event, performance.now());
      const line = eventLine(event, limits.of(event));
      if (line?.notable === true) say(line.text);
    },
    say: (text) => say(`holdstill: ${text}`),
    end() {
      if (isOver) return;
      isOver = true;
      clearInterval(timer);
      put(2, clear);
    },
  };
}

/** The limit of a call is told when it begins. */
class Limits {
  readonly #limits = new Map<string, number>();

  of(event: Event): number | undefined {
    if (event.type !== "call") return undefined;
    const key = `${event.actor} ${event.op}`;
    if (event.limitMs !== undefined) this.#limits.set(key, event.limitMs);
    return this.#limits.get(key);
  }
}
