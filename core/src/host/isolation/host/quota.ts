/** How many log lines and reports of progress of one plugin are told in a second: the host has others to look after. */
export const PER_SECOND = 200;

/** Counts what a plugin says. */
export class Quota {
  #since = -Infinity;
  #count = 0;

  /** `last`: it is told that what follows in this second is not. */
  take(): "told" | "last" | "dropped" {
    const now = performance.now();
    if (now - this.#since >= 1000) [this.#since, this.#count] = [now, 0];
    this.#count += 1;
    if (this.#count < PER_SECOND) return "told";
    return this.#count === PER_SECOND ? "last" : "dropped";
  }
}

export const isOverQuota = `it says more than ${PER_SECOND} things in a second; the rest of this second is not told`;
