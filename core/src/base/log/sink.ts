/** Lines that are kept while paused, and bytes that wait for a slow disk; beyond, lines are dropped and counted. */
export const KEPT = { lines: 10_000, bytes: 4 * 1024 * 1024 } as const;
/** A full pipe or a frozen file system must not block the process. */
const PATIENCE_MS = 1000;

/** What this needs of an asynchronous destination (pino's sonic-boom). */
export interface Destination {
  write(line: string): boolean;
  flush(done: () => void): void;
  end(): void;
  /** Closes without writing what is left. */
  destroy(): void;
  once(event: "close", listener: () => void): unknown;
  on(event: "drop" | "error", listener: () => unknown): unknown;
}

/** A destination of lines that can be suspended. */
export class Sink {
  readonly #destination: Destination;
  #state: "open" | "paused" | "closed" = "open";
  #kept: string[] = [];
  #dropped = 0;

  constructor(destination: Destination) {
    this.#destination = destination;
    destination.on("drop", () => (this.#dropped += 1));
    // A full disk must not end the process that has to thaw, and must not keep it alive with endless retries.
    destination.on("error", () => {
      this.#dropped += 1;
      this.#state = "closed";
      destination.destroy();
    });
  }

  get dropped(): number {
    return this.#dropped;
  }

  write(line: string): void {
    if (this.#state === "open") this.#destination.write(line);
    else if (this.#state === "paused" && this.#kept.length < KEPT.lines) this.#kept.push(line);
    else this.#dropped += 1;
  }

  async pause(): Promise<void> {
    if (this.#state !== "open") return;
    this.#state = "paused";
    await patiently((done) => this.#destination.flush(done));
  }

  resume(): void {
    if (this.#state !== "paused") return;
    this.#state = "open";
    for (const line of this.#kept.splice(0)) this.#destination.write(line);
  }

  async close(): Promise<void> {
    this.resume();
    if (this.#state === "closed") return;
    this.#state = "closed";
    await patiently((done) => {
      this.#destination.once("close", done);
      this.#destination.end();
    });
    this.#destination.destroy();
  }
}

function patiently(work: (done: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, PATIENCE_MS);
    work(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
