import type { Actor, Event, Op } from "#core/transaction/machine.js";
import type { CriticalSection } from "#core/base/schema/types.js";

export interface Player extends Actor {
  /** What a provider answers to prepare. */
  section: CriticalSection | null;
}

/** What happens next, chosen by whoever plays the world's part. */
export interface Turn {
  /** Which of the pending things settles, modulo their number; an interruption comes beside them. */
  what: "settle" | "interrupt";
  pick: number;
  ok: boolean;
  /** Whether a thing that failed was done nevertheless: a freeze that failed may have frozen the application. */
  done: boolean;
}

/** What a player says when a call went well. */
export function answer({ id, section }: Player, op: Op): Event {
  switch (op) {
    case "prepare":
      return { is: "prepared", actor: id, section };
    case "freeze":
      return { is: "frozen", actor: id, token: `token of ${id}` };
    case "commit":
      return { is: "committed", actor: id };
    case "thaw":
      return { is: "thawed", actor: id };
    case "seal":
      return { is: "sealed", actor: id };
    case "recover":
      return { is: "recovered", actor: id };
    case "abort":
      return { is: "undone", actor: id };
  }
}
