/** From SIGTERM to SIGKILL. */
const GRACE_MS = 500;

/** The process group of a program, which has the id of its first process. */
export class ProcessGroup {
  readonly #id: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(id: number | undefined) {
    this.#id = id;
  }

  /** SIGTERM, and later SIGKILL. */
  end(): void {
    this.#send("SIGTERM");
    this.#timer = setTimeout(() => this.kill(), GRACE_MS);
  }

  /** Whether `end` was called. */
  get isEnding(): boolean {
    return this.#timer !== undefined;
  }

  kill(): void {
    this.#send("SIGKILL");
  }

  /** The program has ended, and its id may soon be given to another process. */
  over(): void {
    clearTimeout(this.#timer);
  }

  #send(signal: NodeJS.Signals): void {
    if (this.#id === undefined) return;
    try {
      process.kill(-this.#id, signal);
    } catch {
      // ESRCH: no process is left in it.
    }
  }
}
