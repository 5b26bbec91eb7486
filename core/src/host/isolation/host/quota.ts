/** How many log lines and progress reports of one plugin are passed on in a second. The rest are dropped. */
export const PER_SECOND = 200;

/** Counts the messages of a plugin. */
export class Quota {
  #since = -Infinity;
  #count = 0;

  /** `last`: in place of this message, the log shows that the rest of this second is dropped. */
  take(): "passed" | "last" | "dropped" {
    const now = performance.now();
    if (now - this.#since >= 1000) [this.#since, this.#count] = [now, 0];
    this.#count += 1;
    if (this.#count < PER_SECOND) return "passed";
    return this.#count === PER_SECOND ? "last" : "dropped";
  }
}

export const isOverQuota = `more than ${PER_SECOND} messages in a second; the rest of this second is dropped`;
