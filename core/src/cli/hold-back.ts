import type { Event } from "../schema/types.js";

/**
 * Keeps everything that would be written while the kernel holds I/O: the terminal's log, or the file behind a pipe, may lie on a
 * volume that is held, and a write to it would wait for ever for the release that waits for the write.
 */
export class HoldBack {
  /** turning: the transaction aborts, and the release is not known to have happened before the next call is made. */
  #state: "open" | "held" | "turning" = "open";
  #kept: (() => void)[] = [];

  get isHeld(): boolean {
    return this.#state !== "open";
  }

  /** A listener that gets each event as soon as writing is allowed. */
  watch(listener: (event: Event) => void): (event: Event) => void {
    return (event) => {
      this.#step(event);
      this.do(() => listener(event));
    };
  }

  /** Now, or as soon as writing is allowed. */
  do(write: () => void): void {
    if (this.isHeld) this.#kept.push(write);
    else write();
  }

  /** The transaction is over. */
  open(): void {
    this.#state = "open";
    for (const write of this.#kept.splice(0)) write();
  }

  #step(event: Event): void {
    switch (event.type) {
      case "phase":
        if (event.phase === "hold") this.#state = "held";
        else if (event.phase === "abort" && this.isHeld) this.#state = "turning";
        else if (event.phase !== "commit" && event.phase !== "release") this.open();
        return;
      case "call":
        if (this.#state === "turning" && event.status === "begun") this.open();
        return;
      case "ended":
        this.open();
        return;
      case "begun":
      case "queued":
      case "progress":
      case "log":
      case "left-out":
      case "warning":
        return;
    }
  }
}
