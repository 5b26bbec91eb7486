import type { Event } from "../../base/schema/types.js";
import { shareOf } from "./progress.js";
import { duration } from "../../base/display/units.js";

interface Pending {
  op: string;
  since: number;
  limitMs: number;
  progress: string;
}

/** The text of the live line: the phase, the pending calls, and how much of each limit has passed. The caller supplies times, ms. */
export class StatusLine {
  #phase = "identify";
  readonly #pending = new Map<string, Pending>();

  note(event: Event, now: number): void {
    if (event.type === "phase") this.#phase = event.phase;
    if (event.type === "progress") {
      const call = this.#pending.get(event.actor);
      if (call !== undefined) call.progress = `, ${event.message}${shareOf(event)}`;
    }
    if (event.type !== "call") return;
    const { actor, op, status, limitMs = 0 } = event;
    if (status === "begun") this.#pending.set(actor, { op, since: now, limitMs, progress: "" });
    else this.#pending.delete(actor);
  }

  /** The call with the least time left comes first. */
  text(now: number): string {
    const pending = [...this.#pending].toSorted(([, a], [, b]) => left(a, now) - left(b, now));
    const calls = pending.map(
      ([actor, { op, since, limitMs, progress }]) =>
        `${actor} ${op} ${duration(now - since)} of ${duration(limitMs)}${progress}`,
    );
    return [this.#phase, ...calls].join(" · ");
  }
}

const left = ({ since, limitMs }: Pending, now: number): number => since + limitMs - now;
