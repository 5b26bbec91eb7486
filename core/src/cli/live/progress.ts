import { phases } from "../../transaction/phases.js";
import type { Event } from "../../base/schema/types.js";
import { duration } from "../../base/display/units.js";

/** One line for an event. notable: printed even while a status line shows the rest. */
export interface EventLine {
  text: string;
  notable: boolean;
}

/** null: the event has no line. */
export function eventLine(event: Event, limitMs: number | undefined): EventLine | null {
  switch (event.type) {
    case "begun":
      return line(`transaction ${event.transaction}, cut ${event.cut}`);
    case "queued": {
      const { pid, transaction, since } = event.owner;
      return notable(
        `waiting for volume ${event.volume}: transaction ${transaction} uses it (pid ${pid}, since ${since})`,
      );
    }
    case "phase":
      return line(`${event.phase}${summaryOf(event.phase)}, limit ${duration(event.limitMs)}`);
    case "call": {
      const of = limitMs === undefined ? "" : ` of ${duration(limitMs)}`;
      const took = `${duration(event.elapsedMs ?? 0)}${of}`;
      if (event.status === "begun") return null;
      if (event.status === "ok") return line(`  ${event.actor}: ${event.op} took ${took}`);
      // The reason follows once, at the end: with the error, or in the timeline.
      return notable(`✗ ${event.actor}: ${event.op} failed after ${took}`);
    }
    case "progress":
      return line(`  ${event.actor}: ${event.message}${shareOf(event)}`);
    case "log": {
      const isBad = event.level === "warn" || event.level === "error";
      return isBad ? notable(`${event.actor}: ${event.level}: ${event.message}`) : null;
    }
    case "left-out":
      return notable(`${event.actor} is left out: ${event.error.message}`);
    case "warning":
      return notable(`warning: ${event.message}${event.hint === undefined ? "" : ` ${event.hint}`}`);
    case "ended":
      return null;
  }
}

const line = (text: string): EventLine => ({ text, notable: false });
const notable = (text: string): EventLine => ({ text, notable: true });

function summaryOf(phase: string): string {
  return Object.hasOwn(phases, phase) ? ` (${phases[phase as keyof typeof phases].summary})` : "";
}

export function shareOf({ done, total }: { done?: number; total?: number }): string {
  if (done === undefined) return "";
  return total === undefined ? ` (${done})` : ` (${done} of ${total})`;
}
