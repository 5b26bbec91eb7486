import type { Event } from "../schema/types.js";

/**
 * Keeps everything that would be written while the kernel holds I/O: the terminal's log, or the file behind a pipe, may lie on a
 * volume that is held, and a write to it would wait for ever for the release that waits for the write.
 */
export class HoldBack {
  #isHeld = false;
  #kept: (() => void)[] = [];

  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** The core tells nothing from the hold to the release: whatever it tells next means that writing is allowed. */
  note(event: Event): void {
    if (event.type === "phase" && event.phase === "hold") this.#isHeld = true;
    else this.open();
  }

  /** Now, or as soon as writing is allowed. */
  do(write: () => void): void {
    if (this.#isHeld) this.#kept.push(write);
    else write();
  }

  /** The transaction is over. */
  open(): void {
    this.#isHeld = false;
    for (const write of this.#kept.splice(0)) write();
  }
}
