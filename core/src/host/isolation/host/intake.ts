import { type FromWorker, fromWorker, MESSAGE_LIMIT } from "../wire.js";

/** What one worker may send in a second. A plugin that uses its context alone stays far below. */
const MESSAGES_PER_SECOND = 5000;
export const CHARACTERS_PER_SECOND = 4 * MESSAGE_LIMIT;

/** `broken`: the channel of this worker cannot be used any more, for this reason. */
export type Taken = { type: "message"; message: FromWorker } | Broken;
interface Broken {
  type: "broken";
  reason: string;
}

/** Everything that a worker sends comes through here: a plugin can send what it likes, as much as it likes. */
export class Intake {
  readonly #rate: Rate;

  /** `now`: ms of a clock that is never set. */
  constructor(now?: () => number) {
    this.#rate = new Rate(now);
  }

  take(text: unknown): Taken {
    if (typeof text !== "string") return broken("a message that is not text");
    if (text.length > MESSAGE_LIMIT) return tooLong;
    if (this.#rate.isFlood(text.length)) return tooMany;
    const message = fromWorker(text);
    return message === null ? unknown : { type: "message", message };
  }
}

/** Counts what one worker sends. */
export class Rate {
  #since = -Infinity;
  #messages = 0;
  #characters = 0;
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Whether this message is one too many. */
  isFlood(characters: number): boolean {
    const now = this.#now();
    if (now - this.#since >= 1000) [this.#since, this.#messages, this.#characters] = [now, 0, 0];
    this.#messages += 1;
    this.#characters += characters;
    return this.#messages > MESSAGES_PER_SECOND || this.#characters > CHARACTERS_PER_SECOND;
  }
}

const broken = (what: string): Broken => ({ type: "broken", reason: `it sent ${what}, and was killed` });
/** A message of which the end does not come. */
export const tooLong = broken("a message that is too long");
export const unknown = broken("a message that its host does not know");
export const tooMany = broken("more messages in a second than its host can take");
