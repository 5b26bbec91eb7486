/** From SIGTERM to SIGKILL. */
const GRACE_MS = 500;

/** The process group of a program, which has the id of its first process. */
export class Group {
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

  /** Whether it was told to end. */
  get isEnding(): boolean {
    return this.#timer !== undefined;
  }

  /** Whether anybody is in it. */
  get isAlive(): boolean {
    return this.#send(0);
  }

  kill(): void {
    this.#send("SIGKILL");
  }

  /** The program has ended: its id may be another's soon. */
  over(): void {
    clearTimeout(this.#timer);
  }

  #send(signal: NodeJS.Signals | 0): boolean {
    if (this.#id === undefined) return false;
    try {
      return process.kill(-this.#id, signal);
    } catch {
      // ESRCH: there is nobody left in it.
      return false;
    }
  }
}
